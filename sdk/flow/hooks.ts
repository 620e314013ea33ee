/** What people want done when a run begins or ends. */
import type { State } from "../protocol/states.ts";
import type { LogLevel } from "./configuration.ts";
import { errorStack } from "./errors.ts";

/** Called with the run's context and its state. What it throws is logged, and changes nothing of the run. */
export type Hook<C> = (context: C, state: State) => unknown;

/** One hook, or several in their order. */
export type Hooks<C> = Hook<C> | readonly Hook<C>[];

/** Calls hooks one after the other and waits for each. */
export async function callHooks<C>(
  hooks: Hooks<C> | null | undefined,
  context: C,
  state: State,
  log: (level: LogLevel, message: string) => void,
): Promise<void> {
  for (const hook of hooksOf(hooks)) {
    try {
      await hook(context, state);
    } catch (error) {
      log("error", `The hook "${hook.name || "anonymous"}" for ${state.name} has failed. ${errorStack(error)}`);
    }
  }
}

function hooksOf<C>(hooks: Hooks<C> | null | undefined): readonly Hook<C>[] {
  if (!hooks) return [];
  return typeof hooks === "function" ? [hooks] : hooks;
}
