/** What the end-to-end tests of workers do with a control plane: deploy a flow of `flows/`, trigger it, look at runs. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiClient, createClient } from "../../sdk/client/index.ts";
import { createDeployment, createFlowRunFromDeployment } from "../../sdk/protocol/deployments.ts";
import { type FlowRun, type JsonObject, readFlowRun, readFlowRunStates } from "../../sdk/protocol/flow-runs.ts";
import { createFlow } from "../../sdk/protocol/flows.ts";
import type { DeploymentId, FlowRunId } from "../../sdk/protocol/ids.ts";
import { filterLogs, type Log } from "../../sdk/protocol/logs.ts";
import { isTerminal } from "../../sdk/protocol/states.ts";
import { createWorkPool } from "../../sdk/protocol/work-pools.ts";
import { eventually } from "../support/eventually.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

export interface ControlPlane {
  readonly client: ApiClient;
  pool(name: string): Promise<void>;
  /** A deployment of an entrypoint; relative ones start from the project. */
  deploy(
    entrypoint: string | null,
    pool: string,
    more?: {
      path?: string;
      name?: string;
      job_variables?: JsonObject;
      pull_steps?: JsonObject[];
      concurrency_limit?: number;
      concurrency_options?: { collision_strategy: "ENQUEUE" | "CANCEL_NEW" };
    },
  ): Promise<DeploymentId>;
  /** `dueAt` is in milliseconds since 1970, by default now. */
  trigger(deployment: DeploymentId, parameters?: JsonObject, dueAt?: number): Promise<FlowRun>;
  read(id: FlowRunId): Promise<FlowRun>;
  /** Waits until the run is in a state of this type. */
  reaches(id: FlowRunId, type: NonNullable<FlowRun["state_type"]>, withinMs?: number): Promise<FlowRun>;
  ends(id: FlowRunId, withinMs?: number): Promise<FlowRun>;
  /** Names of the states that the run went through, in their order. */
  states(id: FlowRunId): Promise<string[]>;
  logs(id: FlowRunId): Promise<Log[]>;
}

let deployments = 0;

export function controlPlane(apiUrl: string, key: string | null = null): ControlPlane {
  const client = createClient({ url: apiUrl, key });
  const read = (id: FlowRunId): Promise<FlowRun> => client.call(readFlowRun, { params: { id } });
  return {
    client,
    read,
    async pool(name) {
      await client.call(createWorkPool, { body: { name, type: "process" } });
    },
    async deploy(entrypoint, pool, more = {}) {
      const flow = await client.call(createFlow, { body: { name: "e2e" } });
      const { id } = await client.call(createDeployment, {
        body: { name: `d${++deployments}`, flow_id: flow.id, work_pool_name: pool, entrypoint, path: PROJECT, ...more },
      });
      return id;
    },
    trigger: (id, parameters = {}, dueAt = Date.now()) => {
      const scheduled_time = new Date(dueAt).toISOString();
      const body = { parameters, state: { type: "SCHEDULED" as const, state_details: { scheduled_time } } };
      return client.call(createFlowRunFromDeployment, { params: { id }, body });
    },
    reaches: (id, type, withinMs = 20_000) =>
      eventually(
        `run ${id} is ${type}`,
        async () => {
          const run = await read(id);
          if (run.state_type === type) return run;
          if (isTerminal(run.state_type)) throw new Error(`it is ${run.state_name}: ${run.state?.message}`);
          return null;
        },
        { withinMs },
      ),
    ends: (id, withinMs = 20_000) =>
      eventually(
        `run ${id} ends`,
        async () => {
          const run = await read(id);
          return isTerminal(run.state_type) ? run : null;
        },
        { withinMs },
      ),
    async states(id) {
      const states = await client.call(readFlowRunStates, { query: { flow_run_id: id } });
      return states.map(({ name }) => name);
    },
    logs: (id) =>
      client.call(
        filterLogs,
        { body: { logs: { flow_run_id: { any_: [id] } }, sort: "TIMESTAMP_ASC" } },
        { idempotent: true },
      ),
  };
}

/** One line that an execution of a flow left in the trace file (see flows/steps.ts). */
export interface Trace {
  readonly what: string;
  readonly flowRunId: string;
  readonly pid: number;
  readonly more: readonly string[];
}

export interface TraceFile extends Disposable {
  readonly path: string;
  read(): Trace[];
}

export function traceFile(): TraceFile {
  const folder = mkdtempSync(join(tmpdir(), "sluice-trace-"));
  const path = join(folder, "trace");
  return {
    path,
    read() {
      try {
        const lines = readFileSync(path, "utf8").trimEnd().split("\n");
        return lines.map((line) => {
          const [what = "", flowRunId = "", pid = "0", ...more] = line.split(" ");
          return { what, flowRunId, pid: Number(pid), more };
        });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        return [];
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
