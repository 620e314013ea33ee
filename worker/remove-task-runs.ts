/** Removes task runs outside flows: from their owners first, then what D1 has of them. */
import type { TaskRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { taskPartition, taskPartitionOf } from "../durable-objects/task-run-owner.ts";
import { deleteTaskRunRows } from "./db/queries/expired.ts";

/**
 * Removes those of the task runs that ended before an instant. Answers how many. What was cut short is done by the next
 * call with the same ids; a partition that fails keeps no other from its turn.
 */
export async function removeEndedTaskRuns(env: Env, ids: readonly TaskRunId[], endedBefore: EpochMs): Promise<number> {
  let removed = 0;
  for (const [name, own] of Map.groupBy(ids, taskPartitionOf)) {
    try {
      const gone = await taskPartition(env, name).removeEnded(own, endedBefore);
      if (gone.length > 0) await deleteTaskRunRows(env, gone);
      removed += gone.length;
    } catch (error) {
      console.warn(`Expired task runs of partition ${name} were not removed; it is tried again in an hour.`, error);
    }
  }
  return removed;
}
