/** Futures among a task's arguments: waited for, and recorded as where the inputs came from. */
import type { TaskInput } from "../../protocol/task-runs.ts";
import { UpstreamFailedError } from "../errors.ts";
import { isFuture, type TaskFuture } from "../future.ts";

const MAX_DEPTH = 8;

/** Finds futures in a value: itself, and within plain lists and objects, to a depth of eight. */
export function futuresIn(value: unknown, depth = 0): TaskFuture<unknown>[] {
  if (isFuture(value)) return [value];
  if (typeof value !== "object" || value === null || depth >= MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((one) => futuresIn(one, depth + 1));
  return isPlain(value) ? Object.values(value).flatMap((one) => futuresIn(one, depth + 1)) : [];
}

/** Waits for the futures among the arguments and puts their results in their places. Throws UpstreamFailedError. */
export async function resolveInputs(args: readonly unknown[]): Promise<unknown[]> {
  return await Promise.all(args.map((arg) => resolve(arg, 0)));
}

async function resolve(value: unknown, depth: number): Promise<unknown> {
  if (isFuture(value)) {
    try {
      return await value.result();
    } catch (cause) {
      throw new UpstreamFailedError(`Upstream task run "${value.name}" did not complete.`, { cause });
    }
  }
  // What holds no future is handed on as it is, not as a copy.
  if (futuresIn(value, depth).length === 0) return value;
  if (Array.isArray(value)) return await Promise.all(value.map((one) => resolve(one, depth + 1)));
  const entries = Object.entries(value as object).map(async ([key, one]) => [key, await resolve(one, depth + 1)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The record of where inputs came from, by parameter name. Parameters without futures are not named. */
export function inputsRecord(
  args: readonly unknown[],
  names: readonly string[],
  parentTaskRunId: string | null,
): Record<string, TaskInput[]> {
  const record: Record<string, TaskInput[]> = {};
  for (const [index, arg] of args.entries()) {
    const futures = futuresIn(arg);
    if (futures.length === 0) continue;
    record[names[index] || `argument${index}`] = futures.map(({ taskRunId }) => ({
      input_type: "task_run",
      id: taskRunId,
    }));
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
