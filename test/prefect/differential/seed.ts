/** The objects that both servers are given: about 550, in phases whose boundaries are named moments. */
import { isFields, type Json, type JsonFields } from "./json.ts";
import type { Pair } from "./pair.ts";

export const FLOWS = 10;
export const DEPLOYMENTS = 14;
export const FLOW_RUNS = 180;
export const TASK_RUNS = 120;
export const POOLS = ["alpha", "beta", "gamma"] as const;

/** Tags of the n-th object: every combination comes back. */
function tagsOf(n: number): string[] {
  return [[], ["red"], ["red", "blue"], ["blue", "green"], ["green"]][n % 5] ?? [];
}

/** What a flow run goes through, by force; the first state is the one it is created with. */
const LIVES: readonly (readonly JsonFields[])[] = [
  [{ type: "PENDING", name: "Created" }],
  [{ type: "SCHEDULED", state_details: { scheduled_time: "2040-01-01T00:00:00Z" } }],
  [{ type: "SCHEDULED", name: "AwaitingRetry", state_details: { scheduled_time: "2040-02-01T12:30:00.123456Z" } }],
  [{ type: "PENDING" }],
  [{ type: "RUNNING" }],
  [{ type: "PENDING" }, { type: "RUNNING" }, { type: "COMPLETED", message: "All is well" }],
  [{ type: "RUNNING" }, { type: "FAILED", message: "It broke" }],
  [{ type: "RUNNING" }, { type: "CRASHED" }],
  [{ type: "RUNNING" }, { type: "CANCELLING" }],
  [{ type: "RUNNING" }, { type: "CANCELLING" }, { type: "CANCELLED" }],
  [{ type: "RUNNING" }, { type: "PAUSED", state_details: { pause_timeout: "2040-03-01T00:00:00Z", pause_key: "k" } }],
  [{ type: "COMPLETED", name: "Cached" }],
  [{ type: "SCHEDULED", name: "Late", state_details: { scheduled_time: "2024-05-01T08:00:00Z" } }, { type: "RUNNING" }],
  [{ type: "RUNNING" }, { type: "PAUSED", name: "Suspended", state_details: { pause_reschedule: true } }],
  [{ type: "FAILED", name: "TimedOut" }],
];

export async function seed(pair: Pair): Promise<void> {
  await seedDefinitions(pair);
  await pair.nextPhase();
  for (let n = 0; n < 60; n += 1) await seedFlowRun(pair, n);
  await pair.nextPhase();
  for (let n = 0; n < TASK_RUNS; n += 1) await seedTaskRun(pair, n);
  await pair.nextPhase();
  for (let n = 60; n < FLOW_RUNS; n += 1) await seedFlowRun(pair, n);
  await pair.nextPhase();
  await seedRecords(pair);
  await pair.nextPhase();
}

async function seedDefinitions(pair: Pair): Promise<void> {
  for (let n = 0; n < FLOWS; n += 1) {
    const labels: JsonFields = n % 2 === 0 ? {} : { team: "data", n, ok: true };
    await pair.create(`flow:${n}`, {
      operation: "POST /flows/",
      body: { name: `flow-${n}${n % 3 === 0 ? "-Übung_100" : ""}`, tags: tagsOf(n), labels },
    });
  }
  for (const [n, name] of POOLS.entries()) {
    await pair.create(`pool:${name}`, {
      operation: "POST /work_pools/",
      body: {
        name,
        type: n === 0 ? "process" : "prefect-agent",
        description: n === 1 ? "the second" : null,
        concurrency_limit: n === 2 ? 5 : null,
        is_paused: n === 2,
      },
    });
    for (const queue of ["high", "low"]) {
      await pair.create(`queue:${name}/${queue}`, {
        operation: "POST /work_pools/{work_pool_name}/queues",
        path: `/work_pools/${name}/queues`,
        body: { name: queue, priority: queue === "high" ? 1 : 2, concurrency_limit: n, description: "" },
      });
    }
  }
  for (let n = 0; n < DEPLOYMENTS; n += 1) await seedDeployment(pair, n);
}

async function seedDeployment(pair: Pair, n: number): Promise<void> {
  const pool = n % 3 === 0 ? {} : { work_pool_name: POOLS[n % 2] ?? "alpha" };
  const queue = n % 3 === 1 ? { work_queue_name: "high" } : {};
  const schedule = { schedule: { cron: "0 6 * * *", timezone: "Europe/London" }, active: false };
  await pair.create(`deployment:${n}`, {
    operation: "POST /deployments/",
    body: {
      name: `deploy-${n}`,
      flow_id: `{{flow:${n % FLOWS}}}`,
      tags: tagsOf(n + 1),
      paused: n % 4 === 3,
      version: n % 2 === 0 ? `v${n}` : null,
      description: n % 2 === 0 ? "A deployment" : null,
      entrypoint: "flows.py:main",
      path: "/srv",
      parameters: { x: n },
      enforce_parameter_schema: false,
      parameter_openapi_schema: { type: "object", properties: { x: { type: "integer", default: 1 } } },
      job_variables: n % 2 === 0 ? { env: { A: "1" } } : {},
      pull_steps: n % 5 === 0 ? [{ "prefect.deployments.steps.set_working_directory": { directory: "/srv" } }] : null,
      labels: { n },
      schedules: n % 7 === 6 ? [schedule] : [],
      ...pool,
      ...queue,
    },
  });
}

async function seedFlowRun(pair: Pair, n: number): Promise<void> {
  const [first = {}, ...later] = LIVES[n % LIVES.length] ?? [];
  const name = `flow-run:${n}`;
  await pair.create(name, {
    operation: "POST /flow_runs/",
    body: {
      flow_id: `{{flow:${n % FLOWS}}}`,
      name: `run-${String(n).padStart(3, "0")}`,
      state: at(first, n),
      tags: tagsOf(n),
      parameters: { n, nested: { list: [n, "x"] } },
      context: n % 6 === 0 ? { who: "me" } : {},
      flow_version: n % 3 === 0 ? null : `v${n % 3}`,
      idempotency_key: n % 7 === 0 ? `key-${n}` : null,
      labels: n % 8 === 0 ? { n } : {},
      empirical_policy: n % 9 === 0 ? { retries: 2, retry_delay: 10 } : {},
      ...(n % 4 === 1 ? { deployment_id: `{{deployment:${n % DEPLOYMENTS}}}` } : {}),
      ...(n % 10 === 2 && n >= 60 ? { parent_task_run_id: `{{task-run:${n % TASK_RUNS}}}` } : {}),
      ...(n % 20 === 3 ? { work_pool_name: "alpha", work_queue_name: "low" } : {}),
    },
  });
  for (const state of later) {
    await pair.ask({
      operation: "POST /flow_runs/{id}/set_state",
      path: `/flow_runs/{{${name}}}/set_state`,
      body: { state, force: true },
    });
  }
}

/** No two objects are scheduled for one instant, so that lists by it have one order. */
function at(state: JsonFields, n: number): JsonFields {
  const details = state["state_details"];
  const time = isFields(details) ? details["scheduled_time"] : undefined;
  if (!isFields(details) || typeof time !== "string") return state;
  const later = new Date(Date.parse(time) + n * 60_000).toISOString();
  return { ...state, state_details: { ...details, scheduled_time: later } };
}

async function seedTaskRun(pair: Pair, n: number): Promise<void> {
  const [first = {}] = LIVES[n % LIVES.length] ?? [];
  await pair.create(`task-run:${n}`, {
    operation: "POST /task_runs/",
    body: {
      flow_run_id: `{{flow-run:${n % 40}}}`,
      name: `task-${String(n).padStart(3, "0")}`,
      task_key: `mod.task_${n % 4}`,
      dynamic_key: String(n),
      tags: tagsOf(n + 2),
      state: at(first, n),
      task_version: n % 2 === 0 ? "t1" : null,
      cache_key: n % 5 === 0 ? `cache-${n}` : null,
      empirical_policy: { retries: n % 3, retry_delay: n % 2 === 0 ? [1, 2] : 3, retry_jitter_factor: 0.5 },
      task_inputs: { x: [{ input_type: "parameter", name: "x" }], y: [{ input_type: "constant", type: "int" }] },
      labels: n % 6 === 0 ? { kind: "extract" } : {},
    },
  });
}

async function seedRecords(pair: Pair): Promise<void> {
  for (let n = 0; n < 60; n += 1) {
    const line = (part: number): JsonFields => ({
      name: part === 0 ? "prefect.flow_runs" : "prefect.task_runs",
      level: [10, 20, 30, 40, 50][n % 5] ?? 20,
      message: n % 7 === 0 ? `Ünïcode ${n} 100% _done_ "quoted"` : `message ${n} of part ${part}`,
      timestamp: `2024-06-${String(1 + (n % 28)).padStart(2, "0")}T${String(part + 10)}:${String(n).padStart(2, "0")}:00.5Z`,
      flow_run_id: `{{flow-run:${n % 40}}}`,
      task_run_id: part === 0 ? null : `{{task-run:${n % 40}}}`,
    });
    await pair.ask({ operation: "POST /logs/", body: [line(0), line(1)] });
  }
  for (let n = 0; n < 36; n += 1) {
    const data: Json = [`# Report ${n}`, [{ a: 1 }], { n }, null, 42.5, ""][n % 6] ?? null;
    await pair.create(`artifact:${n}`, {
      operation: "POST /artifacts/",
      body: {
        key: n % 6 === 5 ? null : `report-${n % 8}`,
        type: ["markdown", "table", "progress", "result", null][n % 5] ?? null,
        description: n % 2 === 0 ? `Artifact ${n}` : null,
        data,
        metadata_: n % 4 === 0 ? { by: "me" } : null,
        flow_run_id: n % 3 === 0 ? null : `{{flow-run:${n}}}`,
        task_run_id: n % 3 === 2 ? `{{task-run:${n}}}` : null,
      },
    });
  }
  for (let n = 0; n < 30; n += 1) {
    const value: Json = [`text ${n}`, n, true, null, { a: [1] }, [1, "two"], 0.25][n % 7] ?? null;
    await pair.create(`variable:${n}`, {
      operation: "POST /variables/",
      body: { name: `variable_${n}${n % 2 === 0 ? "_even" : ""}`, value, tags: tagsOf(n) },
    });
  }
  for (let n = 0; n < 12; n += 1) {
    await pair.ask({
      operation: "POST /flow_runs/{id}/input",
      path: `/flow_runs/{{flow-run:${n % 4}}}/input`,
      body: {
        key: `${n % 2 === 0 ? "keyset" : "other"}-${n}`,
        value: `{"n": ${n}}`,
        sender: n % 3 === 0 ? "me" : null,
      },
    });
  }
}
