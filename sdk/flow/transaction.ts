/** Several tasks whose effects are kept together or undone together. */
import { currentScope, inScope } from "./engine/scope.ts";
import { errorStack } from "./errors.ts";
import { logger } from "./logger.ts";

/**
 * When a transaction commits. "lazy": with the one around it, or at its own end when there is none. "eager": at its own
 * end; it is not undone when the one around it fails. "off": never; nothing of it is undone, no hook is called.
 */
export type CommitMode = "lazy" | "eager" | "off";

/** How a transaction behaves. Everything may be left out. */
export interface TransactionOptions {
  /** Default "lazy". */
  readonly commit?: CommitMode;
}

type Step = { readonly kind: "commit" | "rollback"; readonly name: string; readonly run: () => unknown };

/** One transaction, as the code in it sees it. */
export class Transaction {
  readonly #outer: Transaction | null;
  readonly #values = new Map<string, unknown>();
  #steps: Step[] = [];

  constructor(outer: Transaction | null) {
    this.#outer = outer;
  }

  /** A value that was set in this transaction or one around it; undefined for none. */
  get<T = unknown>(key: string): T | undefined {
    return (this.#values.has(key) ? this.#values.get(key) : this.#outer?.get(key)) as T | undefined;
  }

  /** Sets a value for the code and the hooks of this transaction, and of those within it. */
  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  /** Called when the transaction commits, in the order of the calls of this function. */
  onCommit(hook: (transaction: Transaction) => unknown): void {
    this.#steps.push({ kind: "commit", name: hook.name, run: () => hook(this) });
  }

  /** Called when the transaction is undone, the last one first. */
  onRollback(hook: (transaction: Transaction) => unknown): void {
    this.#steps.push({ kind: "rollback", name: hook.name, run: () => hook(this) });
  }

  /** Ends it well: at once, or by handing its hooks to the one around it. */
  async close(mode: CommitMode): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    if (mode === "off") return;
    if (mode === "lazy" && this.#outer !== null) this.#outer.#steps.push(...steps);
    else await call(steps.filter(({ kind }) => kind === "commit"));
  }

  /** Undoes it. */
  async rollback(mode: CommitMode): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    if (mode !== "off") await call(steps.filter(({ kind }) => kind === "rollback").reverse());
  }
}

/**
 * Runs code whose tasks belong together. When it throws, the `onRollback` hooks of the tasks that had completed in it
 * are called, the last one first, their stored results are forgotten, and the error is passed on. Otherwise the
 * `onCommit` hooks are called at the end, or, inside another transaction, at the end of that one.
 *
 * A hook that throws is logged, and the others are called all the same. Throws outside of a flow run.
 */
export async function transaction<R>(
  options: TransactionOptions,
  run: (transaction: Transaction) => R | Promise<R>,
): Promise<R>;
export async function transaction<R>(run: (transaction: Transaction) => R | Promise<R>): Promise<R>;
export async function transaction<R>(
  first: TransactionOptions | ((transaction: Transaction) => R | Promise<R>),
  second?: (transaction: Transaction) => R | Promise<R>,
): Promise<R> {
  const scope = currentScope();
  if (scope === null)
    throw new Error("transaction() was called outside of a flow run. Call it inside a flow or a task.");
  const run = typeof first === "function" ? first : second;
  const { commit = "lazy" } = typeof first === "function" ? {} : first;
  if (run === undefined) throw new TypeError("transaction() needs a function: transaction(async (tx) => { … }).");
  const made = new Transaction(scope.transaction ?? null);
  return await inScope({ ...scope, transaction: made }, async () => {
    let value: R;
    try {
      value = await run(made);
    } catch (error) {
      await made.rollback(commit);
      throw error;
    }
    await made.close(commit);
    return value;
  });
}

async function call(steps: readonly Step[]): Promise<void> {
  for (const { run, kind, name } of steps) {
    try {
      await run();
    } catch (error) {
      logger().error(`The ${kind} hook "${name || "anonymous"}" has failed. ${errorStack(error)}`);
    }
  }
}
