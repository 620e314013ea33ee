/** Tags that runs get by where they are called. */
import { openScope } from "./engine/call-task.ts";
import { currentScope, inScope } from "./engine/scope.ts";

/**
 * Adds tags to all flow runs and task runs that the code makes, beside those of their flows and tasks, also by what it calls,
 * by `delay()` and by `runDeployment()`: `await tags(["nightly"], () => etl())`. Answers what the code answers.
 */
export async function tags<T>(names: readonly string[], code: () => T | Promise<T>): Promise<T> {
  const scope = currentScope() ?? openScope("tags()");
  return await inScope({ ...scope, tags: [...(scope.tags ?? []), ...names] }, async () => await code());
}

/** Tags of their own, and those of where they are called; each once. */
export function taggedHere(own: readonly string[], inherited: readonly string[] | undefined): string[] {
  return inherited === undefined ? [...own] : [...new Set([...own, ...inherited])];
}
