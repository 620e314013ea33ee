/** Removes flow runs from their object: their rows, and what pools, queues of tasks and sockets have of them. */
import { waitsForTaskWorker } from "#machine/task-effects";
import type { FlowRunId } from "#protocol/ids";
import { isTerminal } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import { fromWireTime } from "#protocol/time";
import type { RunsToRemove } from "./flow-run-owner.ts";
import type { RunParts } from "./run-parts.ts";
import type { RunSockets } from "./run-sockets.ts";
import type { RunRow } from "./storage/run-rows.ts";
import { queueOf } from "./task-queue-owner.ts";

/** Runs that one commit removes: each may have thousands of log lines. */
const REMOVED_TOGETHER = 5;

/** See FlowRunOwner.remove. Whoever was cut short calls again: everything here is harmless when repeated. */
export async function removeRuns(
  parts: RunParts,
  sockets: RunSockets,
  env: Env,
  ids: readonly FlowRunId[],
  which: RunsToRemove,
): Promise<FlowRunId[]> {
  const gone: FlowRunId[] = [];
  for (let at = 0; at < ids.length; at += REMOVED_TOGETHER) {
    // One commit for a few runs; between them other requests have their turn.
    const some = ids.slice(at, at + REMOVED_TOGETHER);
    const outcomes = await Promise.all(some.map((id) => removeRun(parts, sockets, env, id, which)));
    gone.push(...some.filter((_, index) => outcomes[index] === true));
  }
  return gone;
}

/** True when the run is not here any more. */
async function removeRun(
  parts: RunParts,
  sockets: RunSockets,
  env: Env,
  id: FlowRunId,
  which: RunsToRemove,
): Promise<boolean> {
  const { store, commit, recorder, logStream, runStream, reserver } = parts;
  const known = store.run(id);
  if (!known) return true;
  if (!isMeant(known, which)) return false;
  const spec = store.spec(id);
  const poolName = spec?.placement?.poolName;
  const waiting = waitingTasks(parts, id);
  // Before the rows go, by which they would be found again after a crash; and after it what came in between.
  await withdraw(env, waiting);
  let inBetween: TaskRun[] = [];
  const row = await commit.run(() => {
    const current = store.run(id);
    if (!current || !isMeant(current, which)) return null;
    inBetween = waitingTasks(parts, id);
    return recorder.remove(id);
  });
  if (row === null) return store.run(id) === null;
  logStream.forget(id);
  sockets.closeAll(id, 4404, "The flow run was deleted.");
  runStream.deleted(id);
  await withdraw(env, inBetween);
  if (!isTerminal(row.record.state?.type)) await reserver.removed(id, spec, row.record.state);
  if (poolName !== undefined && !isTerminal(row.record.state?.type)) {
    const pool = env.WORK_POOLS.getByName(poolName);
    await pool.withdraw(id);
    await pool.release(id, row.claims);
  }
  return true;
}

function isMeant({ record }: RunRow, which: RunsToRemove): boolean {
  const { state, endTime } = record;
  switch (which.kind) {
    case "any":
      return true;
    case "scheduled":
      return state?.type === "SCHEDULED";
    case "waiting":
      return state?.type === "SCHEDULED" && state.name !== "AwaitingConcurrencySlot" && record.runCount === 0;
    case "ended":
      return state !== null && isTerminal(state.type) && (endTime ?? fromWireTime(state.timestamp)) < which.before;
  }
}

/** Background tasks of the run that no task worker has taken yet: they may outlive the run, but not its removal. */
function waitingTasks({ store }: RunParts, id: FlowRunId): TaskRun[] {
  const tasks = store.scheduledTasks(id).map(({ task }) => task);
  return tasks.filter(({ state }) => state !== null && waitsForTaskWorker(state));
}

async function withdraw(env: Env, tasks: readonly TaskRun[]): Promise<void> {
  await Promise.all(tasks.map(({ id, task_key }) => queueOf(env, task_key).withdraw(id)));
}
