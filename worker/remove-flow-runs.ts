/** Removes flow runs: from their owner first, then what D1 has of them, idempotency keys and artifacts with it. */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { ownerOf } from "../durable-objects/partition.ts";
import { deleteArtifactsOf, deleteRunRows } from "./db/queries/expired.ts";
import { freeKey } from "./db/queries/flow-runs.ts";

/** Removes one run, whatever its state. False when there is no such run. */
export async function removeFlowRun(env: Env, id: FlowRunId): Promise<boolean> {
  const owner = ownerOf(env.FLOW_RUNS, id);
  const run = (await owner?.read(id)) ?? null;
  if (!owner || run === null) return false;
  await owner.remove(id);
  await deleteArtifactsOf(env, id);
  // Its copy may never have reached D1, so the key is taken from the run itself.
  if (run.idempotency_key !== null) await freeKey(env, run.flow_id, run.idempotency_key, run.id);
  return true;
}

/**
 * Removes those of one owner's runs that ended before an instant. Answers how many. What was cut short is done by the
 * next call with the same ids: an owner that does not know a run says so, and D1's rows of it go all the same.
 */
export async function removeEndedRuns(
  env: Env,
  ids: readonly [FlowRunId, ...FlowRunId[]],
  endedBefore: EpochMs,
): Promise<number> {
  const owner = ownerOf(env.FLOW_RUNS, ids[0]);
  const gone = owner ? await owner.removeEnded(ids, endedBefore) : [...ids];
  if (gone.length > 0) await deleteRunRows(env, gone);
  return gone.length;
}
