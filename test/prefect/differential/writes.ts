/** Changes and conflicts, whose answers and traces both servers are asked for, in the order given. They end the comparison. */
import type { Json } from "./json.ts";
import type { Request } from "./pair.ts";

const change = (operation: string, path: string, body?: Json): Request => ({
  operation,
  path,
  ...(body === undefined ? {} : { body }),
});

/** Repeats and conflicts of creation. */
const CONFLICTS: readonly Request[] = [
  { operation: "POST /flows/", body: { name: "flow-1", tags: ["other"] } },
  { operation: "POST /variables/", body: { name: "variable_1", value: 2 } },
  { operation: "POST /work_pools/", body: { name: "alpha", type: "process" } },
  { operation: "POST /work_pools/", body: { name: "Prefect Reserved", type: "process" } },
  { operation: "POST /work_pools/", body: { name: "a/b" } },
  change("POST /work_pools/{work_pool_name}/queues", "/work_pools/alpha/queues", { name: "high" }),
  { operation: "POST /flows/", body: { name: "a/b" } },
  { operation: "POST /flows/", body: { name: "per%cent" } },
  { operation: "POST /flows/", body: { name: "" } },
  { operation: "POST /variables/", body: { name: "Not A Name!", value: 1 } },
  { operation: "POST /variables/", body: { name: "x".repeat(256), value: 1 } },
  { operation: "POST /variables/", body: { name: "long", value: "x".repeat(5001) } },
  {
    operation: "POST /deployments/",
    body: { name: "deploy-1", flow_id: "{{flow:1}}", version: "again", tags: ["new"], parameters: { y: 2 } },
  },
  { operation: "POST /deployments/", body: { name: "d/e", flow_id: "{{flow:1}}" } },
  { operation: "POST /deployments/", body: { name: "lost", flow_id: "00000000-0000-4000-8000-000000000000" } },
  { operation: "POST /deployments/", body: { name: "lost", flow_id: "{{flow:1}}", work_pool_name: "no-such-pool" } },
  {
    operation: "POST /deployments/",
    body: { name: "lost", flow_id: "{{flow:1}}", work_pool_name: "alpha", work_queue_name: "made-on-the-way" },
  },
  { operation: "POST /flow_runs/", body: { flow_id: "{{flow:0}}", name: "again", idempotency_key: "key-0" } },
  { operation: "POST /flow_runs/", body: { flow_id: "00000000-0000-4000-8000-000000000000", name: "lost" } },
  { operation: "POST /flow_runs/", body: { flow_id: "{{flow:0}}", name: "stateless" } },
  {
    operation: "POST /task_runs/",
    body: { flow_run_id: "{{flow-run:0}}", task_key: "mod.task_0", dynamic_key: "0", name: "again" },
  },
  {
    operation: "POST /task_runs/",
    body: { flow_run_id: "00000000-0000-4000-8000-000000000000", task_key: "t", dynamic_key: "0", name: "lost" },
  },
  { operation: "POST /task_runs/", body: { flow_run_id: null, task_key: "t", dynamic_key: "0", name: "free" } },
  change("POST /flow_runs/{id}/input", "/flow_runs/{{flow-run:0}}/input", { key: "keyset-0", value: "{}" }),
  change("POST /flow_runs/{id}/input", "/flow_runs/{{flow-run:0}}/input", { key: "a b/c", value: "{}" }),
];

const fromDeployment = (body: Json, n = 1): Request =>
  change("POST /deployments/{id}/create_flow_run", `/deployments/{{deployment:${n}}}/create_flow_run`, body);

/** Runs of deployments. */
const RUNS: readonly Request[] = [
  fromDeployment({
    name: "by-deployment",
    state: { type: "SCHEDULED", state_details: { scheduled_time: "2041-01-01T00:00:00Z" } },
  }),
  fromDeployment(
    { name: "with", parameters: { x: 5 }, tags: ["own"], state: { type: "PENDING" }, labels: { a: 1 } },
    2,
  ),
  fromDeployment({
    name: "enforced",
    parameters: { x: "no" },
    enforce_parameter_schema: true,
    state: { type: "PENDING" },
  }),
  fromDeployment({ name: "variables", job_variables: { image: "x" }, state: { type: "PENDING" } }, 4),
  fromDeployment({ name: "queued", work_queue_name: "low", state: { type: "PENDING" } }),
  fromDeployment({ name: "no-queue", work_queue_name: "no-such-queue", state: { type: "PENDING" } }),
  fromDeployment({ name: "key", idempotency_key: "one", state: { type: "PENDING" } }),
  fromDeployment({ name: "other", idempotency_key: "one", state: { type: "PENDING" } }),
];

/** A change, and the object after it. */
const CHANGES: readonly Request[] = [
  change("PATCH /flows/{id}", "/flows/{{flow:2}}", { tags: ["changed"] }),
  change("GET /flows/{id}", "/flows/{{flow:2}}"),
  change("PATCH /flow_runs/{id}", "/flow_runs/{{flow-run:5}}", { name: "renamed", tags: ["t"], parameters: { a: 1 } }),
  change("PATCH /flow_runs/{id}", "/flow_runs/{{flow-run:1}}", { infrastructure_pid: "pid", flow_version: "v9" }),
  change("PATCH /flow_runs/{id}", "/flow_runs/{{flow-run:1}}", { job_variables: { env: {} } }),
  change("PATCH /flow_runs/{id}/labels", "/flow_runs/{{flow-run:1}}/labels", { added: true, n: 2 }),
  change("GET /flow_runs/{id}", "/flow_runs/{{flow-run:5}}"),
  change("GET /flow_runs/{id}", "/flow_runs/{{flow-run:1}}"),
  change("PATCH /task_runs/{id}", "/task_runs/{{task-run:1}}", { name: "renamed" }),
  change("GET /task_runs/{id}", "/task_runs/{{task-run:1}}"),
  change("PATCH /deployments/{id}", "/deployments/{{deployment:4}}", { description: "changed", tags: ["x"] }),
  change("PATCH /deployments/{id}", "/deployments/{{deployment:4}}", { work_queue_name: null, paused: true }),
  change("GET /deployments/{id}", "/deployments/{{deployment:4}}"),
  change("POST /deployments/{id}/pause_deployment", "/deployments/{{deployment:5}}/pause_deployment"),
  change("GET /deployments/{id}", "/deployments/{{deployment:5}}"),
  change("POST /deployments/{id}/resume_deployment", "/deployments/{{deployment:5}}/resume_deployment"),
  change("GET /deployments/{id}", "/deployments/{{deployment:5}}"),
  change("PATCH /variables/{id}", "/variables/{{variable:3}}", { value: "changed" }),
  change("PATCH /variables/{id}", "/variables/{{variable:3}}", { name: "variable_1" }),
  change("PATCH /variables/name/{name}", "/variables/name/variable_5", { tags: ["t"] }),
  change("GET /variables/{id}", "/variables/{{variable:3}}"),
  change("PATCH /artifacts/{id}", "/artifacts/{{artifact:3}}", { data: "new", description: "d" }),
  change("GET /artifacts/{id}", "/artifacts/{{artifact:3}}"),
  change("PATCH /work_pools/{name}", "/work_pools/beta", { is_paused: true, concurrency_limit: 3, description: "p" }),
  change("GET /work_pools/{name}", "/work_pools/beta"),
  change("PATCH /work_pools/{work_pool_name}/queues/{name}", "/work_pools/beta/queues/low", { priority: 1 }),
  change("PATCH /work_pools/{work_pool_name}/queues/{name}", "/work_pools/beta/queues/low", { is_paused: true }),
  change("POST /work_pools/{work_pool_name}/queues/filter", "/work_pools/beta/queues/filter", {}),
  change("POST /flow_runs/{id}/resume", "/flow_runs/{{flow-run:10}}/resume", {}),
  change("POST /flow_runs/{id}/resume", "/flow_runs/{{flow-run:4}}/resume", {}),
  change("POST /flow_runs/{id}/set_state", "/flow_runs/{{flow-run:34}}/set_state", {
    state: { type: "COMPLETED", data: { type: "reference", storage_key: "k", expiration: null } },
  }),
  change("POST /artifacts/count", "/artifacts/count", {}),
  {
    operation: "POST /flow_runs/bulk_set_state",
    body: { flow_runs: { id: { any_: ["{{flow-run:49}}"] } }, state: { type: "CANCELLED" } },
  },
];

const DELETIONS: readonly Request[] = [
  ["DELETE /flow_runs/{id}/input/{key}", "/flow_runs/{{flow-run:0}}/input/keyset-0"],
  ["DELETE /flow_runs/{id}/input/{key}", "/flow_runs/{{flow-run:0}}/input/keyset-0"],
  ["DELETE /variables/{id}", "/variables/{{variable:1}}"],
  ["GET /variables/{id}", "/variables/{{variable:1}}"],
  ["DELETE /variables/name/{name}", "/variables/name/variable_2_even"],
  ["DELETE /artifacts/{id}", "/artifacts/{{artifact:32}}"],
  ["GET /artifacts/{key}/latest", "/artifacts/report-0/latest"],
  ["DELETE /task_runs/{id}", "/task_runs/{{task-run:7}}"],
  ["GET /task_runs/{id}", "/task_runs/{{task-run:7}}"],
  ["DELETE /flow_runs/{id}", "/flow_runs/{{flow-run:2}}"],
  ["GET /flow_runs/{id}", "/flow_runs/{{flow-run:2}}"],
  ["GET /task_runs/{id}", "/task_runs/{{task-run:2}}"],
  ["DELETE /deployments/{id}", "/deployments/{{deployment:1}}"],
  ["GET /deployments/{id}", "/deployments/{{deployment:1}}"],
  ["GET /flow_runs/{id}", "/flow_runs/{{flow-run:1}}"],
  ["DELETE /flows/{id}", "/flows/{{flow:3}}"],
  ["GET /flow_runs/{id}", "/flow_runs/{{flow-run:3}}"],
  ["GET /deployments/{id}", "/deployments/{{deployment:3}}"],
  ["DELETE /work_pools/{work_pool_name}/queues/{name}", "/work_pools/alpha/queues/high"],
  ["DELETE /work_pools/{work_pool_name}/queues/{name}", "/work_pools/alpha/queues/default"],
  ["DELETE /work_pools/{name}", "/work_pools/gamma"],
  ["GET /work_pools/{name}", "/work_pools/gamma"],
].map(([operation = "", path = ""]) => ({ operation, path }));

const COUNTS: readonly Request[] = ["flows", "flow_runs", "task_runs", "deployments", "variables", "artifacts"].map(
  (resource) => ({ operation: `POST /${resource}/count`, body: {}, title: "after the deletions" }),
);

export const WRITES: readonly Request[] = [...CONFLICTS, ...RUNS, ...CHANGES, ...DELETIONS, ...COUNTS];
