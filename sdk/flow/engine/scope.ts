/**
 * Which run the calling code belongs to, across `await`.
 *
 * AsyncLocalStorage comes from the runtime without an import, so that the package loads where there is none. There,
 * the scope is known until the first `await` of a task, and for one flow at a time until it ends.
 */
import type { FlowContext, TaskContext } from "../context.ts";
import type { Transaction } from "../transaction.ts";
import type { TaskRunAssets } from "./asset-lineage.ts";
import type { Execution } from "./execution.ts";
import type { RunSpan } from "./tracing.ts";

export interface Scope {
  readonly execution: Execution;
  /** Null in a task that was called outside of a flow. */
  readonly flow: FlowContext | null;
  /** Null in a flow's own code. */
  readonly task: TaskContext | null;
  /** The innermost transaction around the code; absent for none. */
  readonly transaction?: Transaction;
  /** Of the innermost run around the code; absent where no tracer is configured. */
  readonly span?: RunSpan;
  /** Of the task run around the code; absent for one that has to do with none. */
  readonly assets?: TaskRunAssets;
  /** Tags that everything gets that is called here; absent for none. */
  readonly tags?: readonly string[];
}

interface ScopeStorage {
  getStore(): Scope | undefined;
  run<T>(scope: Scope, callback: () => T): T;
}

let storage: ScopeStorage | null = null;

/** The scope of the calling code; null outside of flows and tasks. */
export function currentScope(): Scope | null {
  return storage?.getStore() ?? null;
}

/** The signal of the task or the flow that the calling code belongs to; undefined outside of both. */
export function runSignal(): AbortSignal | undefined {
  const scope = currentScope();
  return scope?.task?.signal ?? scope?.flow?.signal;
}

/** Calls back inside a scope. */
export function inScope<T>(scope: Scope, callback: () => T): T {
  storage ??= openStorage();
  return storage.run(scope, callback);
}

interface AsyncHooks {
  readonly AsyncLocalStorage: new () => ScopeStorage;
}

function openStorage(): ScopeStorage {
  const load = globalThis.process?.getBuiltinModule as ((name: string) => AsyncHooks | undefined) | undefined;
  const hooks = load?.("node:async_hooks");
  return hooks ? new hooks.AsyncLocalStorage() : new LastScope();
}

/** Stands in for AsyncLocalStorage: the innermost scope that was entered, flows until they end. */
class LastScope implements ScopeStorage {
  #current: Scope | undefined;

  getStore(): Scope | undefined {
    return this.#current;
  }

  run<T>(scope: Scope, callback: () => T): T {
    const outer = this.#current;
    this.#current = scope;
    const leave = (): void => {
      if (this.#current === scope) this.#current = outer;
    };
    let result: T;
    try {
      result = callback();
    } catch (error) {
      leave();
      throw error;
    }
    if (scope.task === null && result instanceof Promise) void result.then(leave, leave);
    else leave();
    return result;
  }
}
