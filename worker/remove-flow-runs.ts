/** Removes flow runs: from their owners first, then what D1 has of them, idempotency keys and artifacts with it. */
import { type FlowRunId, partitionOf } from "#protocol/ids";
import type { RunsToRemove } from "../durable-objects/flow-run-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";
import { deleteRunRows } from "./db/queries/expired.ts";
import { freeKey } from "./db/queries/flow-runs.ts";

/** Removes one run, whatever its state. False when there is no such run. */
export async function removeFlowRun(env: Env, id: FlowRunId): Promise<boolean> {
  const owner = ownerOf(env.FLOW_RUNS, id);
  const run = (await owner?.read(id)) ?? null;
  if (owner && run !== null) await owner.remove([id], { kind: "any" });
  // A removal that was cut short left its rows, which nobody else would look for.
  const hadRows = (await deleteRunRows(env, [id])) > 0;
  // Its copy may never have reached D1, so the key is taken from the run itself.
  if (run?.idempotency_key != null) await freeKey(env, run.flow_id, run.idempotency_key, run.id);
  return run !== null || hadRows;
}

/**
 * Removes those of the given runs that are still what was asked for. Answers how many. What was cut short is done by the
 * next call with the same ids: an owner that does not know a run says so, and D1's rows of it go all the same. A
 * partition that fails keeps no other from its turn.
 */
export async function removeFlowRuns(env: Env, ids: readonly FlowRunId[], which: RunsToRemove): Promise<number> {
  let removed = 0;
  for (const [partition, own] of byPartition(ids)) {
    try {
      const owner = ownerOf(env.FLOW_RUNS, own[0]);
      const gone = owner ? await owner.remove(own, which) : own;
      if (gone.length > 0) await deleteRunRows(env, gone);
      removed += gone.length;
    } catch (error) {
      console.warn(`Flow runs of partition ${partition} were not removed; it is tried again later.`, error);
    }
  }
  return removed;
}

/** In the order of their first ids. */
function byPartition(ids: readonly FlowRunId[]): Map<string, [FlowRunId, ...FlowRunId[]]> {
  const groups = new Map<string, [FlowRunId, ...FlowRunId[]]>();
  for (const id of ids) {
    const partition = partitionOf(id) ?? id;
    const group = groups.get(partition);
    if (group) group.push(id);
    else groups.set(partition, [id]);
  }
  return groups;
}
