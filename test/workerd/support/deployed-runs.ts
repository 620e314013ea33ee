/** Runs of deployments as workers that poll, and workers that are connected, meet them. */
import { env } from "cloudflare:workers";
import type { FlowRunId } from "#protocol/ids";
import { call } from "./api.ts";
import { WorkerClient } from "./pools.ts";

export interface RunState {
  readonly type: string;
  readonly name: string;
  readonly message: string | null;
  readonly state_details: { readonly deployment_concurrency_lease_id: string | null; readonly scheduled_time: string };
}
export interface Verdict {
  readonly status: string;
  readonly state: RunState;
  readonly details: { readonly reason?: string };
}
/** A run that is due. */
export async function aRun(deployment: { readonly id: string }, parameters: object = {}): Promise<FlowRunId> {
  const path = `/deployments/${deployment.id}/create_flow_run`;
  return (await call<{ id: FlowRunId }>("POST", path, { state: { type: "SCHEDULED" }, parameters })).body.id;
}

export async function propose(id: string, type: string, more: object = {}): Promise<Verdict> {
  return (await call<Verdict>("POST", `/flow_runs/${id}/set_state`, { state: { type, ...more } })).body;
}

export async function stateOf(id: string): Promise<RunState> {
  return (await call<{ state: RunState }>("GET", `/flow_runs/${id}`)).body.state;
}

/** A worker of the pool that takes `limit` runs at the same time. */
export async function aWorker(pool: string, limit = 10): Promise<WorkerClient> {
  const stub = env.WORK_POOLS.getByName(pool);
  const response = await stub.fetch("https://pool/channel", { headers: { Upgrade: "websocket" } });
  if (!response.webSocket) throw new Error(`No socket: ${response.status}`);
  const worker = new WorkerClient("w", response.webSocket);
  worker.send({ type: "hello", protocol: 1, worker_name: "w", worker_type: "process", limit });
  await worker.waitFor("welcome");
  return worker;
}
