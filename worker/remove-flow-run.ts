/** The removal of a flow run with all that is known of it. */
import type { FlowRunId } from "#protocol/ids";
import { ownerOf } from "../durable-objects/partition.ts";
import * as queries from "./db/queries/flow-runs.ts";

/** Deletes the run at its owner and in the lists, and frees its idempotency key. False when there is no such run. */
export async function removeFlowRun(env: Env, id: FlowRunId): Promise<boolean> {
  const owner = ownerOf(env.FLOW_RUNS, id);
  const run = await owner?.read(id);
  if (!owner || !run) return false;
  await owner.remove(id);
  if (run.idempotency_key !== null) await queries.freeKey(env, run.flow_id, run.idempotency_key, id);
  return true;
}
