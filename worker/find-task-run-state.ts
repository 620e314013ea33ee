/**
 * Finds a state of a task run by the state's id alone, which names no owner: D1 says which task runs may have been in it,
 * and a bounded number of owners is asked, newest first.
 */
import type { FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import type { State } from "#protocol/states";
import { ownerOf } from "../durable-objects/partition.ts";
import { ownerOfTask } from "../durable-objects/task-run-owner.ts";
import { taskRunsOfState } from "./db/queries/task-runs.ts";

const OWNERS_ASKED = 20;

export async function findTaskRunState(env: Env, id: StateId): Promise<State | null> {
  const candidates = await taskRunsOfState(env, id);
  const current = candidates.find((task) => task.state_id === id)?.state;
  if (current) return current;
  // One question for all task runs of a flow run, and one for each outside flows.
  const owners = new Map<string, () => Promise<State | null | undefined>>();
  for (const { id: taskRunId, flow_run_id } of candidates) {
    if (owners.size === OWNERS_ASKED) break;
    owners.set(flow_run_id ?? taskRunId, () =>
      flow_run_id ? askFlowRun(env, flow_run_id, id) : askTaskRun(env, taskRunId, id),
    );
  }
  const answers = await Promise.all([...owners.values()].map((ask) => ask()));
  return answers.find((state) => state) ?? null;
}

async function askFlowRun(env: Env, flowRunId: FlowRunId, id: StateId): Promise<State | null> {
  return (await ownerOf(env.FLOW_RUNS, flowRunId)?.taskState(flowRunId, id)) ?? null;
}

async function askTaskRun(env: Env, taskRunId: TaskRunId, id: StateId): Promise<State | undefined> {
  return (await ownerOfTask(env, taskRunId).read(taskRunId))?.states.find((state) => state.id === id);
}
