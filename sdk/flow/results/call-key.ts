/**
 * Names of calls, by which another attempt of the same flow run finds them: the call that made them, what was called with
 * a hash of its source, its inputs, and a number among calls that are alike in all this. The order in which concurrent
 * calls are made may differ between attempts.
 */
import type { TaskContext } from "../context.ts";
import type { Scope } from "../engine/scope.ts";
import { canonical, sha256, UnhashableError } from "./hash.ts";

/** The keys of calls that have begun, for the calls that they make themselves. Null: it cannot be found again. */
const callKeys = new WeakMap<TaskContext, string | null>();

/** Names the next call of what has this key with these inputs. Throws {@link UnhashableError}. */
export async function nameCall(scope: Scope, key: string, inputs: unknown): Promise<string> {
  const { memory } = scope.execution;
  const outer = scope.task === null ? "" : (callKeys.get(scope.task) ?? null);
  if (memory === null || outer === null) {
    throw new UnhashableError("the task that called it is not one that can be found again");
  }
  const call = await sha256(`${outer}\n${key}\n${canonical(inputs, "inputs")}`);
  return `${call}-${memory.occurrence(call)}`;
}

/** Calls that are made in this context belong to the call with this key. */
export function beginCall(context: TaskContext, callKey: string | null): void {
  callKeys.set(context, callKey);
}
