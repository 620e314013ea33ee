/** Background tasks whose worker went away while it executed them: they wait again, a bounded number of times. */
import { LIMITS } from "#protocol/limits";
import { NO_DETAILS, type State, type StateCreate } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { TaskProposal } from "./owned-task.ts";
import { ownerOf } from "./partition.ts";
import { ownerOfTask } from "./task-run-owner.ts";

/** The name of the states in which a task waits again. */
const LOST = "AwaitingWorker";

interface FoundTask {
  readonly task: TaskRun;
  readonly states: readonly State[];
}

/** A task run at its owner; null when there is no such one. */
export async function readTask(env: Env, { id, flow_run_id }: TaskRun): Promise<FoundTask | null> {
  if (flow_run_id === null) return await ownerOfTask(env, id).read(id);
  return (await ownerOf(env.FLOW_RUNS, flow_run_id)?.taskRun(flow_run_id, id)) ?? null;
}

/**
 * Lets a task that its worker left in the middle wait again, and answers it as it then is. After the last time it ends
 * Crashed; null then, and when its owner says otherwise.
 */
export async function offerAgain(env: Env, { task, states }: FoundTask): Promise<TaskRun | null> {
  const times = states.filter(({ name }) => name === LOST).length + 1;
  const reason = "The task worker that ran it went away before it ended.";
  const parameters = states.findLast(({ state_details }) => state_details.task_parameters_id !== null);
  const crashes = times >= LIMITS.claimAttempts;
  const state: StateCreate = {
    type: crashes ? "CRASHED" : "SCHEDULED",
    name: crashes ? null : LOST,
    message: crashes ? `${reason} That happened ${times} times.` : `${reason} It waits for another one.`,
    data: null,
    state_details: {
      ...NO_DETAILS,
      deferred: true,
      task_parameters_id: parameters?.state_details.task_parameters_id ?? null,
    },
  };
  const { id, flow_run_id } = task;
  const proposal: TaskProposal = { state, force: true, cached: null };
  const outcome =
    flow_run_id === null
      ? await ownerOfTask(env, id).setState(id, proposal)
      : await ownerOf(env.FLOW_RUNS, flow_run_id)?.setTaskState(flow_run_id, id, proposal);
  if (crashes || !outcome?.written) return null;
  return (await readTask(env, task))?.task ?? null;
}
