/** One sample or more of every field and operator of every filter. */
import type { Json, JsonFields } from "./json.ts";

/** Filters of one family, e.g. what may stand under `flow_runs`. */
export type Criteria = readonly JsonFields[];

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

function ids(name: string, some: readonly number[], canExclude: boolean): JsonFields[] {
  const any = some.map((n) => `{{${name}:${n}}}`);
  const include = [{ id: { any_: any } }, { id: { any_: [] } }, { id: { any_: [UNKNOWN] } }];
  return canExclude ? [...include, { id: { not_any_: any } }, { id: { any_: any, not_any_: any.slice(1) } }] : include;
}

function names(some: readonly string[], like: readonly string[]): JsonFields[] {
  const likes = [...like, "", "no such name", "%", "_"].map((text): JsonFields => ({ name: { like_: text } }));
  return [{ name: { any_: [...some] } }, { name: { any_: [] } }, { name: { any_: [...some], like_: "1" } }, ...likes];
}

function tags(canAny: boolean): JsonFields[] {
  const all: JsonFields[] = [
    { tags: { all_: ["red"] } },
    { tags: { all_: ["blue", "red"] } },
    { tags: { all_: [] } },
    { tags: { is_null_: true } },
    { tags: { is_null_: false } },
    { tags: { operator: "or_", all_: ["green"], is_null_: true } },
    { tags: { operator: "and_", all_: ["green"], is_null_: false } },
  ];
  const any: JsonFields[] = [
    { tags: { any_: ["red", "green"] } },
    { tags: { any_: [] } },
    { tags: { any_: ["none"] } },
  ];
  return canAny ? [...all, ...any] : all;
}

function times(field: string, moments: readonly number[], canBeNull: boolean): JsonFields[] {
  const bounds = moments.flatMap((n): Json[] => [{ before_: `{{moment:${n}}}` }, { after_: `{{moment:${n}}}` }]);
  const far: Json[] = [{ after_: "2039-12-31T00:00:00Z" }, { before_: "2025-01-01T00:00:00+02:00" }];
  const between: Json = { after_: `{{moment:${moments[0] ?? 0}}}`, before_: `{{moment:${moments.at(-1) ?? 0}}}` };
  const nulls: Json[] = canBeNull ? [{ is_null_: true }, { is_null_: false }] : [];
  return [...bounds, ...far, between, ...nulls].map((criterion) => ({ [field]: criterion }));
}

function orNull(field: string, any: readonly Json[], key = "any_"): JsonFields[] {
  return [
    { [key]: any },
    { [key]: [] },
    { is_null_: true },
    { is_null_: false },
    { operator: "or_", [key]: any, is_null_: true },
    { operator: "and_", [key]: any, is_null_: false },
  ].map((criterion) => ({ [field]: criterion }));
}

function states(canExclude: boolean): JsonFields[] {
  const include: JsonFields[] = [
    { state: { type: { any_: ["RUNNING", "FAILED"] } } },
    { state: { type: { any_: [] } } },
    { state: { name: { any_: ["Late", "AwaitingRetry", "Suspended"] } } },
    { state: { name: { any_: ["no such name"] } } },
    { state: { type: { any_: ["SCHEDULED"] }, name: { any_: ["AwaitingRetry"] } } },
    { state: { operator: "or_", type: { any_: ["PENDING"] }, name: { any_: ["Cached"] } } },
  ];
  const exclude: JsonFields[] = [
    { state: { type: { not_any_: ["RUNNING", "COMPLETED"] } } },
    { state: { name: { not_any_: ["Running", "Cached"] } } },
    { state: { type: { any_: ["RUNNING"], not_any_: ["RUNNING"] } } },
  ];
  return canExclude ? [...include, ...exclude] : include;
}

const flows: Criteria = [
  {},
  ...ids("flow", [1, 2, 3], true),
  ...names(["flow-1", "flow-2"], ["flow-1", "FLOW", "übung", "Übung_100"]),
  ...tags(false),
  { deployment: { is_null_: true } },
  { deployment: { is_null_: false } },
  { operator: "or_", name: { any_: ["flow-1"] }, tags: { all_: ["green"] } },
  { operator: "and_", name: { like_: "flow" }, tags: { all_: ["green"] } },
];

const flowRuns: Criteria = [
  {},
  ...ids("flow-run", [0, 5, 61, 179], true),
  ...names(["run-001", "run-002"], ["run-00", "RUN-17"]),
  ...tags(true),
  ...orNull("deployment_id", ["{{deployment:1}}", "{{deployment:5}}"]),
  ...orNull("work_queue_name", ["high", "default"]),
  ...states(true),
  { flow_version: { any_: ["v1"] } },
  { flow_version: { any_: [] } },
  ...times("start_time", [1, 2, 4], true),
  ...times("end_time", [1, 2, 4], true),
  ...times("expected_start_time", [1, 2, 4], false),
  ...times("next_scheduled_start_time", [2, 4], false),
  { parent_flow_run_id: { any_: ["{{flow-run:2}}", "{{flow-run:12}}", "{{flow-run:22}}"] } },
  { parent_flow_run_id: { any_: [] } },
  ...orNull("parent_task_run_id", ["{{task-run:62}}", "{{task-run:72}}"]),
  { idempotency_key: { any_: ["key-0", "key-7", "no such key"] } },
  { idempotency_key: { not_any_: ["key-0"] } },
  { created_by: { type_: ["DEPLOYMENT"] } },
  { created_by: { is_null_: true } },
  { created_by: { is_null_: false } },
  { operator: "or_", name: { any_: ["run-003"] }, state: { type: { any_: ["CRASHED"] } } },
  { operator: "and_", tags: { all_: ["red"] }, state: { type: { any_: ["CRASHED", "RUNNING"] } } },
];

const taskRuns: Criteria = [
  {},
  ...ids("task-run", [0, 5, 61], false),
  ...names(["task-001", "task-002"], ["task-00", "TASK-11"]),
  ...tags(false),
  ...states(false),
  ...times("start_time", [2, 3], true),
  ...times("end_time", [2, 3], true),
  ...times("expected_start_time", [2, 3], false),
  { subflow_runs: { exists_: true } },
  { subflow_runs: { exists_: false } },
  ...orNull("flow_run_id", ["{{flow-run:2}}", "{{flow-run:3}}"]),
  { operator: "or_", name: { any_: ["task-003"] }, state: { type: { any_: ["CRASHED", "PENDING"] } } },
];

const deployments: Criteria = [
  {},
  ...ids("deployment", [0, 3, 7], true),
  ...names(["deploy-1", "deploy-2"], ["deploy-1", "DEPLOY"]),
  ...tags(true),
  { paused: { eq_: true } },
  { paused: { eq_: false } },
  { flow_or_deployment_name: { like_: "deploy-3" } },
  { flow_or_deployment_name: { like_: "flow-2" } },
  { flow_or_deployment_name: { like_: "ÜBUNG" } },
  { work_queue_name: { any_: ["high"] } },
  { work_queue_name: { any_: ["default"] } },
  { concurrency_limit: { is_null_: true } },
  { concurrency_limit: { ge_: 1 } },
  { operator: "or_", name: { any_: ["deploy-3"] }, paused: { eq_: true } },
];

const workPools: Criteria = [
  {},
  { id: { any_: ["{{pool:alpha}}"] } },
  { id: { any_: [] } },
  { name: { any_: ["alpha", "gamma"] } },
  { name: { any_: [] } },
  { type: { any_: ["process"] } },
  { operator: "or_", name: { any_: ["gamma"] }, type: { any_: ["process"] } },
];

const workQueues: Criteria = [
  {},
  { id: { any_: ["{{queue:alpha/high}}", "{{queue:beta/low}}"] } },
  { name: { any_: ["high"] } },
  { name: { startswith_: ["hi", "de"] } },
  { name: { startswith_: [] } },
  { operator: "or_", id: { any_: ["{{queue:alpha/high}}"] }, name: { any_: ["low"] } },
];

const artifacts: Criteria = [
  {},
  ...ids("artifact", [0, 6, 7], false),
  { key: { any_: ["report-1", "report-2"] } },
  { key: { any_: [] } },
  { key: { like_: "report-%" } },
  { key: { like_: "REPORT-3" } },
  { key: { like_: "port" } },
  { key: { exists_: true } },
  { key: { exists_: false } },
  { type: { any_: ["markdown", "table"] } },
  { type: { not_any_: ["markdown"] } },
  { flow_run_id: { any_: ["{{flow-run:1}}", "{{flow-run:2}}"] } },
  { task_run_id: { any_: ["{{task-run:2}}", "{{task-run:5}}"] } },
  { operator: "or_", key: { any_: ["report-1"] }, type: { any_: ["progress"] } },
];

/** Of `latest` lists, whose ids are those of the latest artifact. */
const latestArtifacts: Criteria = artifacts.map(({ id, ...others }) => (id === undefined ? others : { latest_id: id }));

const variables: Criteria = [
  {},
  ...ids("variable", [0, 6, 7], false),
  ...names(["variable_1", "variable_2_even"], ["EVEN", "variable_1", "e_1"]),
  ...tags(false),
  { operator: "or_", name: { any_: ["variable_1"] }, tags: { all_: ["green"] } },
];

const logs: Criteria = [
  {},
  { level: { ge_: 30 } },
  { level: { le_: 20 } },
  { level: { ge_: 20, le_: 40 } },
  { timestamp: { before_: "2024-06-10T00:00:00Z" } },
  { timestamp: { after_: "2024-06-10T00:00:00Z", before_: "2024-06-20T00:00:00+05:00" } },
  { flow_run_id: { any_: ["{{flow-run:1}}", "{{flow-run:2}}"] } },
  { flow_run_id: { any_: [] } },
  { task_run_id: { any_: ["{{task-run:1}}"] } },
  { task_run_id: { is_null_: true } },
  { task_run_id: { is_null_: false } },
  { flow_run_id: { any_: ["{{flow-run:1}}"] }, task_run_id: { is_null_: true } },
  { operator: "or_", level: { ge_: 50 }, task_run_id: { any_: ["{{task-run:1}}"] } },
  { text: { query: "message" } },
  { text: { query: "part -1" } },
  { text: { query: '"of part 1"' } },
  { text: { query: "100%" } },
  { text: { query: "ünïcode" } },
];

export const CRITERIA = {
  flows,
  flow_runs: flowRuns,
  task_runs: taskRuns,
  deployments,
  work_pools: workPools,
  work_pool_queues: workQueues,
  work_queues: workQueues,
  artifacts,
  latestArtifacts,
  variables,
  logs,
} as const;
