/** Makes task runs: with their flow run, or outside flows, where their natural key decides which id they have. */
import { notFound, SluiceError } from "#protocol/errors";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { TaskRun, TaskRunCreate } from "#protocol/task-runs";
import { ownerOf } from "../durable-objects/partition.ts";
import { queueOf } from "../durable-objects/task-queue-owner.ts";
import { ownerOfTask } from "../durable-objects/task-run-owner.ts";
import { randomName } from "./create-flow-run.ts";
import { claimTaskKey } from "./db/queries/task-runs.ts";
import { newId } from "./new-id.ts";
import { taskRunHome } from "./task-run-home.ts";

export async function createTaskRun(env: Env, body: TaskRunCreate): Promise<{ task: TaskRun; created: boolean }> {
  const request = { ...body, name: body.name || randomName() };
  if (body.id) await requireFreeId(env, body.id, body);
  if (body.state?.state_details.deferred) await requireRoom(env, body.task_key);
  const id = body.id ?? (newId() as TaskRunId);
  return body.flow_run_id ? inFlow(env, body.flow_run_id, request, id) : outsideFlows(env, request, id);
}

async function inFlow(env: Env, flowRunId: FlowRunId, request: TaskRunCreate, id: TaskRunId) {
  const made = await ownerOf(env.FLOW_RUNS, flowRunId)?.createTask(flowRunId, request, id);
  if (!made) throw notFound("Flow run", flowRunId);
  if (made.outcome === "id taken") throw taken(id);
  return { task: made.task, created: made.outcome === "created" };
}

async function outsideFlows(env: Env, request: TaskRunCreate, id: TaskRunId) {
  // The winner of the key may have gone before it made its task run: whoever comes with the key again makes it.
  const winner = await claimTaskKey(env, request.task_key, request.dynamic_key, id);
  return ownerOfTask(env, winner).create(winner, request);
}

/** Fails where another task run has the id that a client made. */
async function requireFreeId(env: Env, id: TaskRunId, body: TaskRunCreate): Promise<void> {
  const known = (await (await taskRunHome(env, id)).read())?.task;
  if (!known) return;
  const isSame =
    known.flow_run_id === (body.flow_run_id ?? null) &&
    known.task_key === body.task_key &&
    known.dynamic_key === body.dynamic_key;
  if (!isSame) throw taken(id);
}

async function requireRoom(env: Env, taskKey: string): Promise<void> {
  if (await queueOf(env, taskKey).hasRoom()) return;
  throw new SluiceError("overloaded", `Too many runs of task "${taskKey}" wait for a task worker.`, {
    fix: "Start a task worker that serves this task, or more of them, and try again later.",
  });
}

function taken(id: TaskRunId): SluiceError {
  return new SluiceError("conflict", `Another task run has the id ${id}.`, {
    fix: "Leave the id away, and one is made.",
  });
}
