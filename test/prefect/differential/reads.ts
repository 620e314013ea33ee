/** Every read that both servers are asked: lists by filter and sort, counts, pages, single objects. */
import { CRITERIA, type Criteria } from "./criteria.ts";
import type { Json, JsonFields } from "./json.ts";
import type { Request } from "./pair.ts";
import { FLOW_RUNS, POOLS } from "./seed.ts";

/** An operation with the families of filters that it takes, and its sorts. */
interface List {
  readonly operation: string;
  /** Where in the body the criteria go: the list's own first. */
  readonly families: Readonly<Record<string, Criteria>>;
  readonly sorts?: readonly string[];
  /** Sent with every request: without an order that both agree on, a part of a list cannot be compared. */
  readonly base?: JsonFields;
  readonly path?: string;
}

const RUN_SORTS = [
  "ID_DESC",
  "START_TIME_ASC",
  "START_TIME_DESC",
  "EXPECTED_START_TIME_ASC",
  "EXPECTED_START_TIME_DESC",
];
const MORE_RUN_SORTS = ["NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC"];
const FLOW_RUN_SORTS = [...RUN_SORTS, ...MORE_RUN_SORTS];
const TASK_RUN_SORTS = FLOW_RUN_SORTS.filter((sort) => !sort.startsWith("START_TIME"));
const NAMED_SORTS = ["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"];
const ARTIFACT_SORTS = ["CREATED_DESC", "UPDATED_DESC", "ID_DESC", "KEY_DESC", "KEY_ASC"];

const { flows, flow_runs, task_runs, deployments, work_pools, work_pool_queues, variables, logs } = CRITERIA;
const four = { flows, flow_runs, task_runs, deployments };
const BY_NAME = { sort: "NAME_ASC" };

function own<K extends string>(
  family: K,
  families: Readonly<Record<string, Criteria>>,
): Readonly<Record<string, Criteria>> {
  const { [family]: first = [], ...others } = families;
  return { [family]: first, ...others };
}

const LISTS: readonly List[] = [
  { operation: "POST /flows/filter", families: own("flows", { ...four, work_pools }), sorts: NAMED_SORTS },
  { operation: "POST /flows/count", families: own("flows", { ...four, work_pools }) },
  { operation: "POST /flows/paginate", families: { flows }, sorts: NAMED_SORTS, base: BY_NAME },
  {
    operation: "POST /flow_runs/filter",
    families: own("flow_runs", { ...four, work_pools, work_pool_queues }),
    sorts: FLOW_RUN_SORTS,
  },
  { operation: "POST /flow_runs/count", families: own("flow_runs", { ...four, work_pools, work_pool_queues }) },
  {
    operation: "POST /flow_runs/paginate",
    families: { flow_runs },
    sorts: FLOW_RUN_SORTS,
    base: { ...BY_NAME, limit: 7 },
  },
  { operation: "POST /flow_runs/lateness", families: { flow_runs } },
  { operation: "POST /task_runs/filter", families: own("task_runs", four), sorts: TASK_RUN_SORTS },
  { operation: "POST /task_runs/count", families: own("task_runs", four) },
  {
    operation: "POST /task_runs/paginate",
    families: { task_runs },
    sorts: TASK_RUN_SORTS,
    base: { ...BY_NAME, limit: 7 },
  },
  {
    operation: "POST /deployments/filter",
    families: own("deployments", { ...four, work_pools, work_pool_queues }),
    sorts: NAMED_SORTS,
  },
  { operation: "POST /deployments/count", families: own("deployments", { ...four, work_pools, work_pool_queues }) },
  { operation: "POST /deployments/paginate", families: { deployments }, sorts: NAMED_SORTS, base: BY_NAME },
  { operation: "POST /work_pools/filter", families: { work_pools } },
  { operation: "POST /work_pools/count", families: { work_pools } },
  { operation: "POST /work_queues/filter", families: { work_queues: CRITERIA.work_queues } },
  ...POOLS.map((pool) => ({
    operation: "POST /work_pools/{work_pool_name}/queues/filter",
    path: `/work_pools/${pool}/queues/filter`,
    families: { work_queues: CRITERIA.work_queues },
  })),
  { operation: "POST /artifacts/filter", families: { artifacts: CRITERIA.artifacts, ...four }, sorts: ARTIFACT_SORTS },
  { operation: "POST /artifacts/count", families: { artifacts: CRITERIA.artifacts, ...four } },
  {
    operation: "POST /artifacts/latest/filter",
    families: { artifacts: CRITERIA.latestArtifacts, flows, flow_runs },
    sorts: ARTIFACT_SORTS,
  },
  { operation: "POST /artifacts/latest/count", families: { artifacts: CRITERIA.latestArtifacts, flows } },
  { operation: "POST /variables/filter", families: { variables }, sorts: NAMED_SORTS },
  { operation: "POST /variables/count", families: { variables } },
  { operation: "POST /logs/filter", families: { logs }, sorts: ["TIMESTAMP_ASC", "TIMESTAMP_DESC"] },
  { operation: "POST /ui/task_runs/count", families: own("task_runs", four) },
];

/** Windows into a list; `NAME` is unique, so both servers must cut the same piece. */
const WINDOWS: readonly JsonFields[] = [
  { limit: 0 },
  { limit: 1 },
  { limit: 5, offset: 3 },
  { limit: 200, offset: 0 },
  { offset: 10_000 },
];
const PAGES: readonly JsonFields[] = [
  { limit: 3, page: 1 },
  { limit: 3, page: 2 },
  { limit: 3, page: 1000 },
  { limit: 0 },
  { page: 2 },
];

export function reads(): Request[] {
  return [...LISTS.flatMap(readsOf), ...single(), ...histories()];
}

function readsOf({ operation, families, sorts = [], base = {}, path }: List): Request[] {
  const at = path === undefined ? { operation } : { operation, path };
  const bodies: Json[] = [base];
  for (const [family, criteria] of Object.entries(families)) {
    for (const criterion of criteria) bodies.push({ ...base, [family]: criterion });
  }
  // Where a part of a list is asked for, both must agree on the order.
  for (const sort of base["limit"] === undefined ? sorts : sorts.filter((one) => one.startsWith("NAME")))
    bodies.push({ ...base, sort });
  const unique = sorts.find((sort) => /^(NAME|TIMESTAMP)_ASC$/.test(sort));
  const windows = unique === undefined ? [] : operation.endsWith("/paginate") ? PAGES : WINDOWS;
  for (const window of windows) bodies.push({ ...base, sort: unique ?? null, ...window });
  return bodies.map((body) => ({ ...at, body }));
}

function single(): Request[] {
  const by = (operation: string, name: string, count: number): Request[] =>
    Array.from({ length: count }, (_, n) => ({
      operation,
      path: operation.slice(4).replace("{id}", `{{${name}:${n}}}`),
    }));
  const some = Array.from({ length: 15 }, (_, n) => n);
  return [
    ...by("GET /flows/{id}", "flow", 10),
    ...by("GET /flow_runs/{id}", "flow-run", FLOW_RUNS),
    ...by("GET /task_runs/{id}", "task-run", 30),
    ...by("GET /deployments/{id}", "deployment", 14),
    ...by("GET /artifacts/{id}", "artifact", 36),
    ...by("GET /variables/{id}", "variable", 30),
    ...by("GET /flow_runs/{id}/graph", "flow-run", 15),
    ...by("GET /flow_runs/{id}/graph-v2", "flow-run", 15),
    ...by("GET /deployments/{id}/schedules", "deployment", 14),
    ...by("GET /deployments/{id}/work_queue_check", "deployment", 14),
    ...by("GET /flow_runs/{id}/logs/download", "flow-run", 3),
    ...by("GET /ui/task_runs/{id}", "task-run", 15),
    ...some.map((n) => ({
      operation: "GET /flow_run_states/",
      path: `/flow_run_states/?flow_run_id={{flow-run:${n}}}`,
    })),
    ...some.map((n) => ({
      operation: "GET /task_run_states/",
      path: `/task_run_states/?task_run_id={{task-run:${n}}}`,
    })),
    ...some.slice(0, 4).flatMap((n): Request[] => [
      {
        operation: "POST /flow_runs/{id}/input/filter",
        path: `/flow_runs/{{flow-run:${n}}}/input/filter`,
        body: { prefix: "keyset" },
      },
      {
        operation: "POST /flow_runs/{id}/input/filter",
        path: `/flow_runs/{{flow-run:${n}}}/input/filter`,
        body: { prefix: "", limit: 2, exclude_keys: ["keyset-0"] },
      },
      { operation: "GET /flow_runs/{id}/input/{key}", path: `/flow_runs/{{flow-run:${n}}}/input/keyset-${n}` },
    ]),
    ...POOLS.flatMap((pool): Request[] => [
      { operation: "GET /work_pools/{name}", path: `/work_pools/${pool}` },
      { operation: "GET /work_pools/{work_pool_name}/queues/{name}", path: `/work_pools/${pool}/queues/default` },
      { operation: "GET /work_pools/{work_pool_name}/queues/{name}", path: `/work_pools/${pool}/queues/high` },
      { operation: "GET /work_queues/{id}", path: `/work_queues/{{queue:${pool}/high}}` },
      { operation: "GET /work_queues/{id}/status", path: `/work_queues/{{queue:${pool}/high}}/status` },
    ]),
    ...["flow-1", "flow-2", "flow-0-%C3%9Cbung_100"].map((name) => ({
      operation: "GET /flows/name/{name}",
      path: `/flows/name/${name}`,
    })),
    {
      operation: "GET /deployments/name/{flow_name}/{deployment_name}",
      path: "/deployments/name/flow-1/deploy-1",
    },
    { operation: "GET /variables/name/{name}", path: "/variables/name/variable_1" },
    ...[0, 1, 2, 3].map((n) => ({ operation: "GET /artifacts/{key}/latest", path: `/artifacts/report-${n}/latest` })),
    ...["/health", "/ready", "/version", "/admin/version", "/hello"].map((path) => ({ operation: `GET ${path}` })),
  ];
}

function histories(): Request[] {
  const span = { history_start: "{{moment:0}}", history_end: "{{moment:5}}", history_interval_seconds: 3600 };
  return [
    { operation: "POST /flow_runs/history", body: span },
    { operation: "POST /flow_runs/history", body: { ...span, flows: { name: { any_: ["flow-1"] } } } },
    { operation: "POST /task_runs/history", body: span },
    { operation: "POST /ui/flow_runs/history", body: { sort: "NAME_ASC", limit: 20 } },
    {
      operation: "POST /ui/flow_runs/history",
      body: { sort: "START_TIME_DESC", flow_runs: { tags: { all_: ["red"] } } },
    },
    { operation: "POST /ui/flows/count-deployments", body: { flow_ids: ["{{flow:0}}", "{{flow:1}}", "{{flow:9}}"] } },
    { operation: "POST /ui/flows/next-runs", body: { flow_ids: ["{{flow:0}}", "{{flow:1}}", "{{flow:6}}"] } },
    {
      operation: "POST /ui/flow_runs/count-task-runs",
      body: { flow_run_ids: ["{{flow-run:0}}", "{{flow-run:1}}", "{{flow-run:100}}"] },
    },
    {
      operation: "POST /ui/schemas/validate",
      body: { json_schema: { type: "object", properties: { x: { type: "integer" } } }, values: { x: "no" } },
    },
    {
      operation: "POST /ui/schemas/validate",
      body: { json_schema: { type: "object", properties: { x: { type: "integer" } } }, values: { x: 3 } },
    },
  ];
}
