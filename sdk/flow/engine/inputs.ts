/** Futures and states among a task's arguments: resolved, and recorded as where the inputs came from. */
import type { TaskInput } from "../../protocol/task-runs.ts";
import { UpstreamFailedError } from "../errors.ts";
import { isFuture, type TaskFuture } from "../future.ts";
import { isRunState, type RunState } from "../states.ts";

const MAX_DEPTH = 8;

/** What stands for the result of a run: its future, or the state that `returnState` answers. */
export type Upstream = TaskFuture<unknown> | RunState<unknown>;

/** Whether a value stands for a run's result. States without one, such as those that the API answers, are data. */
export function isUpstream(value: unknown): value is Upstream {
  return isFuture(value) || (isRunState(value) && typeof value.result === "function");
}

/** Finds futures and states in a value: itself, and within plain lists and objects, to a depth of eight. */
export function upstreamsIn(value: unknown, depth = 0): Upstream[] {
  if (typeof value !== "object" || value === null) return [];
  if (isUpstream(value)) return [value];
  if (depth >= MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((one) => upstreamsIn(one, depth + 1));
  return isPlain(value) ? Object.values(value).flatMap((one) => upstreamsIn(one, depth + 1)) : [];
}

/**
 * Waits for the futures among the arguments and puts their results, and those of states, in their places. Throws
 * UpstreamFailedError.
 */
export async function resolveInputs(args: readonly unknown[]): Promise<unknown[]> {
  return await Promise.all(args.map((arg) => resolve(arg, 0)));
}

async function resolve(value: unknown, depth: number): Promise<unknown> {
  if (isUpstream(value)) {
    try {
      return await value.result();
    } catch (cause) {
      const which = isFuture(value) ? `Upstream task run "${value.name}"` : `Upstream run in state "${value.name}"`;
      throw new UpstreamFailedError(`${which} did not complete.`, { cause });
    }
  }
  // What holds none is handed on as it is, not as a copy.
  if (upstreamsIn(value, depth).length === 0) return value;
  if (Array.isArray(value)) return await Promise.all(value.map((one) => resolve(one, depth + 1)));
  const entries = Object.entries(value as object).map(async ([key, one]) => [key, await resolve(one, depth + 1)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The task runs behind futures and states. States of flow runs have none. */
export function taskRunsBehind(upstreams: readonly Upstream[]): TaskInput[] {
  const ids = upstreams.map((one) => (isFuture(one) ? one.taskRunId : one.state_details.task_run_id));
  return ids.filter((id) => id !== null).map((id) => ({ input_type: "task_run", id }));
}

/** The record of where inputs came from, by parameter name. Parameters that no task run is behind are not named. */
export function inputsRecord(
  args: readonly unknown[],
  names: readonly string[],
  parentTaskRunId: string | null,
): Record<string, TaskInput[]> {
  const record: Record<string, TaskInput[]> = {};
  for (const [index, arg] of args.entries()) {
    const taskRuns = taskRunsBehind(upstreamsIn(arg));
    if (taskRuns.length > 0) record[names[index] || `argument${index}`] = taskRuns;
  }
  if (parentTaskRunId === null) return record;
  return { ...record, __parents__: [{ input_type: "task_run", id: parentTaskRunId }] };
}

/** Arguments by the names of the function's parameters; unnamed ones are `argument0` and so on. */
export function namedArguments(args: readonly unknown[], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(args.map((arg, index) => [names[index] || `argument${index}`, arg]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
