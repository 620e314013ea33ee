/** Declares tasks. */

import type { TaskRunPolicy } from "../protocol/task-runs.ts";
import { type AssetOrKey, assetsOf } from "./assets.ts";
import type { DelayedRun } from "./background/delayed-run.ts";
import { type ServeTasksOptions, serveTasks } from "./background/serve-tasks.ts";
import { type RetryDelay, retryPolicy } from "./backoff.ts";
import type { TaskContext } from "./context.ts";
import { type Duration, parseDuration } from "./duration.ts";
import type { TaskAssets } from "./engine/asset-lineage.ts";
import { callTask, stateOfTask, submitTask } from "./engine/call-task.ts";
import { type FunctionShape, shapeOf } from "./engine/function-shape.ts";
import { Slots } from "./engine/slots.ts";
import { isFuture, type OrFuture, type OrFutures, type TaskFuture, TaskFutures } from "./future.ts";
import type { Hooks } from "./hooks.ts";
import { CachePolicy } from "./results/cache-policy.ts";
import type { LockManager } from "./results/locks.ts";
import type { Serializer } from "./results/serializer.ts";
import type { ResultSettings } from "./results/settings.ts";
import type { ResultStorage } from "./results/storage.ts";
import type { Called, Result } from "./returned.ts";
import { isRunState, type RunState } from "./states.ts";
import type { Transaction } from "./transaction.ts";

/** How a task runs. Everything may be left out. */
export interface TaskOptions {
  /** Default: the name of the function, with `-` for `_`. */
  readonly name?: string;
  /** Shown with its runs. Default: none. */
  readonly version?: string;
  /** Shown to people. Default: none. */
  readonly description?: string;
  /** How often the task is run again after it failed. Default 0. */
  readonly retries?: number;
  /** Wait before each retry: one for all, one for each (the last repeats), or `(retry) => milliseconds`. Default 0. */
  readonly retryDelay?: RetryDelay;
  /**
   * Draws each wait anew around the one of `retryDelay`, so that what failed together does not come back together: as with
   * Prefect, from an exponential distribution with about that median, cut to at most `1 + factor` times the delay. Waits
   * get shorter as well as longer. Default 0: none.
   */
  readonly retryJitterFactor?: number;
  /** An attempt fails as TimedOut after this span, and its signal aborts. Default: none. */
  readonly timeout?: Duration;
  /** Of each run of the task; limits by tag count them. Default: none. */
  readonly tags?: readonly string[];
  /**
   * Name of each task run: a function of the call's arguments, or text with the names of parameters in braces,
   * `"load {table}"`. Default: the task's name and a number.
   */
  readonly taskRunName?: string | ((...args: never[]) => string);
  /** Whether another attempt of its flow run finds its result, and does not run it again. Default: what its flow does. */
  readonly persist?: boolean;
  /** Which calls share a result, across runs. Default: none do. */
  readonly cache?: CachePolicy | CacheOptions;
  /** Where and how its results are kept. Default: what `configure({ results })` says. */
  readonly results?: Pick<ResultSettings, "storage" | "serializer">;
  /** Whether a failure is worth a retry; not asked about a {@link NonRetryableError}. Default: every other one is. */
  readonly retryCondition?: (error: unknown, context: TaskContext) => boolean | Promise<boolean>;
  /** Called when an attempt begins; the attempt waits for it. */
  readonly onRunning?: Hooks<TaskContext>;
  /** Called when the task run is Completed. Not called for a result that was restored or cached. */
  readonly onCompletion?: Hooks<TaskContext>;
  /** Called when the task run has failed for good. */
  readonly onFailure?: Hooks<TaskContext>;
  /** Called when the task run ended Cancelled after it had begun: by itself, or because its flow was told to stop. */
  readonly onCancellation?: Hooks<TaskContext>;
  /** Called when its flow run was ended as Crashed, or its owner was lost, while the task ran in this process. */
  readonly onCrashed?: Hooks<TaskContext>;
  /** Called when the transaction that the task run belongs to commits; without one, when the task is Completed. */
  readonly onCommit?: (transaction: Transaction) => unknown;
  /** Called when the transaction that the task run belongs to is undone after the task had completed. */
  readonly onRollback?: (transaction: Transaction) => unknown;
  /** Futures, or states, that have to be complete before each of its runs, although it takes nothing from them. */
  readonly waitFor?: Iterable<TaskFuture<unknown> | RunState<unknown>>;
  /** Assets that it makes; see `materialize`, which sets this. Default: none. */
  readonly materializes?: { readonly assets: readonly AssetOrKey[]; readonly by?: string };
  /** Assets that it takes, beside those of the tasks whose results it takes. Default: none. */
  readonly assetDeps?: readonly AssetOrKey[];
  /** Whether its log lines tell its arguments and its result, secrets masked. Default: the setting `runLogs`. */
  readonly logValues?: boolean;
  /** Submitted and mapped runs of this task at the same time, over all flow runs of this process. Default: no bound. */
  readonly concurrency?: number;
}

/** How results of a task are shared across runs. */
export interface CacheOptions {
  /** What makes two calls the same: `INPUTS`, for example, or `cacheKey(…)`. */
  readonly policy: CachePolicy;
  /** How long a result is good. Default: for ever. */
  readonly expires?: Duration;
  /** Runs the task anyway, and replaces what is stored. Default false. */
  readonly refresh?: boolean;
  /**
   * With "serializable", calls with the same key wait for the one that makes the result. Default "read-committed": they
   * all make it.
   */
  readonly isolation?: "read-committed" | "serializable";
  /**
   * What "serializable" locks with. Default: the locks of the storage, which a local folder has between the processes that
   * use it; otherwise locks of this process.
   */
  readonly locks?: LockManager;
}

/** What the engine knows of a task's cache. */
export interface TaskCache {
  readonly policy: CachePolicy;
  readonly expiresMs: number | null;
  readonly refresh: boolean;
  /** Whether calls with the same key wait for each other. */
  readonly isSerial: boolean;
  /** Null: those of the storage. */
  readonly locks: LockManager | null;
}

type HookName = Extract<keyof TaskOptions, `on${string}`>;
export type TaskHooks = Pick<TaskOptions, HookName>;

/** What the engine knows of a task. */
export interface TaskDefinition {
  readonly name: string;
  readonly version: string | null;
  /** `name-hash`, the hash being of the function's source. */
  readonly key: string;
  readonly policy: TaskRunPolicy;
  readonly timeoutMs: number | null;
  readonly tags: readonly string[];
  /** Null: what its flow does. */
  readonly persist: boolean | null;
  readonly cache: TaskCache | null;
  readonly storage: ResultStorage | null;
  readonly serializer: Serializer | null;
  readonly retryCondition: ((error: unknown, context: TaskContext) => boolean | Promise<boolean>) | null;
  readonly hooks: TaskHooks;
  readonly waitFor: readonly (TaskFuture<unknown> | RunState<unknown>)[];
  readonly runName: string | ((...args: readonly unknown[]) => string) | null;
  readonly slots: Slots | null;
  /** Null for one that says nothing of assets. */
  readonly assets: TaskAssets | null;
  /** Null: as the setting says. */
  readonly logValues: boolean | null;
  readonly shape: FunctionShape;
  readonly run: (...args: readonly unknown[]) => unknown;
}

/**
 * A task: a function whose calls are recorded as task runs, retried and timed. Where its function takes a value, a
 * future of one is taken too, and waited for, as is the state of a run that answered one. Where that run failed, the task
 * is not started, and the call throws `UpstreamFailedError`.
 */
export interface Task<A extends readonly unknown[], R> {
  /**
   * Runs the task here and now; answers what it returns, throws what it throws after the last retry. Of a generator
   * function, see {@link GeneratorCall}. `this` is handed on to the function.
   */
  (this: unknown, ...args: OrFutures<A>): Called<R>;
  /** Name of the task (not of its function). */
  readonly name: string;
  /** The same task with other options; those that are not named stay as they are. */
  withOptions(options: TaskOptions): Task<A, R>;
  /** Runs the task and answers its last state, however it ended, in place of throwing. */
  returnState(...args: OrFutures<A>): Promise<RunState<Result<R>>>;
  /** Starts the task beside others, as far as the flow's `concurrency` allows, and answers a future of its result. */
  submit(...args: OrFutures<A>): TaskFuture<Result<R>>;
  /**
   * Makes a run that a task worker executes (`task.serve()`, `serveTasks`), in whatever process, and answers when the
   * control plane has it. Futures among the arguments are waited for first. Throws `SluiceError` where there is no control
   * plane, and `NotSerialisableError` for arguments that cannot be stored.
   */
  delay(...args: OrFutures<A>): Promise<DelayedRun<Result<R>>>;
  /** Executes background runs of this task until a signal ends it; see `serveTasks`. */
  serve(options?: ServeTasksOptions): Promise<void>;
  readonly [DEFINITION]: TaskDefinition;
  /**
   * Submits one task run for each item, which becomes its first argument; further arguments are the same for all. Throws
   * TypeError for items that cannot be iterated: of a future of a list nobody knows yet how many there are, so await it.
   */
  map(
    items: Iterable<OrFuture<A[0]>>,
    ...rest: A extends readonly [unknown, ...infer Rest] | readonly [unknown?, ...infer Rest] ? OrFutures<Rest> : []
  ): TaskFutures<Result<R>>;
}

const DEFINITION = Symbol.for("sluice.task");

/** Any task, whatever it takes and returns. */
export interface AnyTask {
  readonly name: string;
  readonly [DEFINITION]: TaskDefinition;
}

/** Whether a value is a task, also one of another copy of this package. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === "function" && DEFINITION in value;
}

/** What the engine knows of a task. */
export function definitionOfTask(one: AnyTask): TaskDefinition {
  return one[DEFINITION];
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** A function's parameters without the context behind them. */
export type WithoutContext<P extends readonly unknown[]> = P extends readonly [...infer Init, infer Last]
  ? Same<Last, TaskContext> extends true
    ? WithoutContext<Init>
    : P
  : P;

declare const unannotated: unique symbol;
/** Stands for the parameters of a function that leaves the type of one open, such as `(url: URL, { signal }) => …`. */
export type Unannotated = [typeof unannotated];
/** Excludes such functions from the first two signatures: the two others give the open parameter its type. */
export type Annotated<P> = Same<P, Unannotated> extends true ? [never] : [];

/**
 * Makes a task of a function.
 *
 * Behind its arguments the function gets a {@link TaskContext} when its last parameter is a destructuring pattern
 * (`{ signal }`) or is called `context` or `ctx`; its type need not be written. A parameter with a default value needs
 * its type written (`page: number = 1`), since an open one is taken for the context. Throws TypeError for options that
 * cannot be.
 */
export function task<P extends unknown[] = Unannotated, R = unknown>(
  run: (...args: P) => R,
  ...guard: Annotated<P>
): Task<WithoutContext<P>, R>;
export function task<P extends unknown[] = Unannotated, R = unknown>(
  options: TaskOptions,
  run: (...args: P) => R,
  ...guard: Annotated<P>
): Task<WithoutContext<P>, R>;
export function task<R, A = TaskContext, B = TaskContext, C = TaskContext, D = TaskContext>(
  run: (a: A, b: B, c: C, d: D) => R,
): Task<WithoutContext<[A, B, C, D]>, R>;
export function task<R, A = TaskContext, B = TaskContext, C = TaskContext, D = TaskContext>(
  options: TaskOptions,
  run: (a: A, b: B, c: C, d: D) => R,
): Task<WithoutContext<[A, B, C, D]>, R>;
export function task(first: unknown, second?: unknown): Task<unknown[], unknown> {
  const options = (typeof first === "function" ? {} : first) as TaskOptions;
  const run = (typeof first === "function" ? first : second) as TaskDefinition["run"];
  if (typeof run !== "function") throw new TypeError("task() needs a function: task({ name }, async () => { … }).");
  const definition = define(options, run);
  const submit = (...args: unknown[]): TaskFuture<unknown> => submitTask(definition, args);
  const members = {
    submit,
    delay: async (...args: unknown[]) => {
      const { delayTask } = await import("./background/delay.ts");
      return await delayTask(definition, args);
    },
    serve: (how?: ServeTasksOptions) => serveTasks(made, how),
    withOptions: (changed: TaskOptions) =>
      (task as (options: TaskOptions, run: unknown) => Task<unknown[], unknown>)({ ...options, ...changed }, run),
    returnState: (...args: unknown[]) => stateOfTask(definition, args),
    map: (items: Iterable<unknown>, ...rest: unknown[]): TaskFutures<unknown> => {
      const futures = new TaskFutures<unknown>();
      if (!isIterable(items)) throw noItems(definition.name, items);
      for (const item of items) futures.push(submit(item, ...rest));
      return futures;
    },
  };
  function called(this: unknown, ...args: unknown[]): unknown {
    return callTask(definition, args, this);
  }
  const made = Object.defineProperties(Object.assign(called, members), {
    name: { value: definition.name },
    [DEFINITION]: { value: definition },
  }) as unknown as Task<unknown[], unknown>;
  return made;
}

function isIterable(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "object" && value !== null && Symbol.iterator in value);
}

function noItems(task: string, given: unknown): TypeError {
  const fix = isFuture(given)
    ? `a future: await its list, ${task}.map(await future.result())`
    : isRunState(given)
      ? `a state: take its list, ${task}.map(state.result())`
      : `${given === null ? "null" : `of the type ${typeof given}`}: give a list, or something else that can be iterated`;
  return new TypeError(`The items of map() of task "${task}" are ${fix}.`);
}

function define(options: TaskOptions, run: TaskDefinition["run"]): TaskDefinition {
  const name = options.name ?? (run.name.replaceAll("_", "-") || "task");
  const owner = `Task "${name}"`;
  const { concurrency, taskRunName } = options;
  if (concurrency !== undefined && !(concurrency >= 1)) {
    throw new TypeError(`${owner} option "concurrency" is ${concurrency}. Give 1 or more.`);
  }
  const shape = shapeOf(run);
  return {
    name,
    version: options.version ?? null,
    key: `${name}-${shape.hash}`,
    policy: retryPolicy(owner, options),
    timeoutMs: options.timeout === undefined ? null : parseDuration(options.timeout, `${owner} option "timeout"`),
    tags: options.tags ?? [],
    persist: options.persist ?? null,
    cache: cacheOf(owner, options.cache),
    storage: options.results?.storage ?? null,
    serializer: options.results?.serializer ?? null,
    retryCondition: options.retryCondition ?? null,
    hooks: options,
    waitFor: [...(options.waitFor ?? [])],
    runName: (taskRunName as TaskDefinition["runName"] | undefined) ?? null,
    slots: concurrency === undefined ? null : new Slots(concurrency),
    assets: taskAssets(options),
    logValues: options.logValues ?? null,
    shape,
    run,
  };
}

function taskAssets({ materializes, assetDeps = [] }: TaskOptions): TaskAssets | null {
  if (materializes === undefined && assetDeps.length === 0) return null;
  return { makes: assetsOf(materializes?.assets ?? []), by: materializes?.by ?? null, dependsOn: assetsOf(assetDeps) };
}

function cacheOf(owner: string, given: TaskOptions["cache"]): TaskCache | null {
  if (given === undefined) return null;
  const { policy, expires, refresh, isolation, locks }: CacheOptions =
    given instanceof CachePolicy ? { policy: given } : given;
  return {
    policy,
    expiresMs: expires === undefined ? null : parseDuration(expires, `${owner} option "cache.expires"`),
    refresh: refresh ?? false,
    isSerial: isolation === "serializable",
    locks: locks ?? null,
  };
}
