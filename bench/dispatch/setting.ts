/** A server with a pool and a deployment, and what is said of the times that were taken. */
import { type JsonClient, jsonClient } from "../http.ts";
import { percentiles } from "../load.ts";
import { type MeasuredServer, startMeasuredServer } from "../server.ts";

export const POOL = "bench";

export interface Setting extends AsyncDisposable {
  readonly server: MeasuredServer;
  readonly client: JsonClient;
  readonly deploymentId: string;
  /** Triggers the deployment; answers the run's id. */
  trigger(body?: object): Promise<string>;
}

export async function startSetting(): Promise<Setting> {
  const server = await startMeasuredServer();
  const client = jsonClient(server.origin);
  const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "first-line" });
  await client.call("POST", "/api/work_pools/", { name: POOL, type: "process" });
  const deployment = await client.call<{ id: string }>("POST", "/api/deployments/", {
    name: "bench",
    flow_id: flow.body.id,
    work_pool_name: POOL,
    entrypoint: "bench/dispatch/first-line.ts:firstLine",
    path: process.cwd(),
  });
  const deploymentId = deployment.body.id;
  return {
    server,
    client,
    deploymentId,
    async trigger(body = {}) {
      const made = await client.call<{ id: string }>("POST", `/api/deployments/${deploymentId}/create_flow_run`, body);
      if (made.status !== 201) throw new Error(`create_flow_run answered ${made.status}.`);
      return made.body.id;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Of the clock of this machine, in milliseconds and finer, as processes on it may compare. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function shares(timesMs: readonly number[], digits = 1): string {
  const { p50Ms, p95Ms, p99Ms } = percentiles(timesMs);
  const [p50, p95, p99] = [p50Ms, p95Ms, p99Ms].map((value) => value.toFixed(digits));
  return `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms (of ${timesMs.length})`;
}
