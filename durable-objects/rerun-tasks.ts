/** Which task runs have to run again when one of them is to: that one, and whatever took something from it. */
import type { TaskRunId } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";

/** The task run and its dependents, by any number of steps. Null when there is no such task run. */
export function withDependents(tasks: readonly TaskRun[], from: TaskRunId): Set<TaskRunId> | null {
  if (!tasks.some(({ id }) => id === from)) return null;
  const takers = new Map<string, TaskRunId[]>();
  for (const task of tasks) {
    for (const input of Object.values(task.task_inputs).flat()) {
      const giver = input["id"];
      if (typeof giver === "string") takers.set(giver, [...(takers.get(giver) ?? []), task.id]);
    }
  }
  const found = new Set<TaskRunId>([from]);
  // A set that grows while it is walked through is walked to its end.
  for (const id of found) for (const taker of takers.get(id) ?? []) found.add(taker);
  return found;
}
