/** Where a task run lives: with its flow run, or, outside a flow, in the partition that its id names. */
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { OrchestrationResult, State } from "#protocol/states";
import type { TaskRun, TaskRunUpdate } from "#protocol/task-runs";
import type { TaskProposal } from "../durable-objects/owned-task.ts";
import { ownerOf } from "../durable-objects/partition.ts";
import { flowRunsOfTasks } from "../durable-objects/storage/flow-run-copy.ts";
import { ownerOfTask } from "../durable-objects/task-run-owner.ts";
import { freeTaskKey } from "./db/queries/task-runs.ts";

/** One task run at its owner. Everything answers null or false when there is no such task run. */
export interface TaskRunHome {
  read(): Promise<{ task: TaskRun; states: State[] } | null>;
  setState(proposal: TaskProposal): Promise<{ result: OrchestrationResult; written: boolean } | null>;
  update(patch: TaskRunUpdate): Promise<boolean>;
  remove(): Promise<boolean>;
}

/** Finds a task run's owner; D1 knows the flow run, and whatever it does not know is looked for outside flows. */
export async function taskRunHome(env: Env, id: TaskRunId): Promise<TaskRunHome> {
  const flowRunId = (await flowRunsOfTasks(env.DB, [id])).get(id);
  return flowRunId ? inFlow(env, flowRunId, id) : outsideFlows(env, id);
}

function inFlow(env: Env, flowRunId: FlowRunId, id: TaskRunId): TaskRunHome {
  const owner = ownerOf(env.FLOW_RUNS, flowRunId);
  return {
    read: async () => (await owner?.taskRun(flowRunId, id)) ?? null,
    setState: async (proposal) => (await owner?.setTaskState(flowRunId, id, proposal)) ?? null,
    update: async (patch) => (await owner?.updateTask(flowRunId, id, patch)) ?? false,
    remove: async () => (await owner?.removeTask(flowRunId, id)) ?? false,
  };
}

function outsideFlows(env: Env, id: TaskRunId): TaskRunHome {
  const owner = ownerOfTask(env, id);
  return {
    read: () => owner.read(id),
    setState: (proposal) => owner.setState(id, proposal),
    update: (patch) => owner.update(id, patch),
    remove: async () => {
      const task = await owner.remove(id);
      if (task) await freeTaskKey(env, task);
      return task !== null;
    },
  };
}
