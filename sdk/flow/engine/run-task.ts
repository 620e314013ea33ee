/** Runs one task to its end: waits for inputs and a slot, then attempts until one succeeds or none is left. */
import type { TaskRunId } from "../../protocol/ids.ts";
import { isTerminal, type State } from "../../protocol/states.ts";
import type { TaskInput } from "../../protocol/task-runs.ts";
import { sleep } from "../clock.ts";
import { resultSerializer, resultStorage } from "../configuration.ts";
import type { TaskContext } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { allowsRetry, errorMessage, errorStack, TimedOutError, UpstreamFailedError } from "../errors.ts";
import { callHooks, type Hooks } from "../hooks.ts";
import { holdTags } from "../limits.ts";
import type { Keeping } from "../results/keeping.ts";
import { taggedHere } from "../tags.ts";
import type { TaskDefinition } from "../task.ts";
import { Transaction } from "../transaction.ts";
import { AttemptContext } from "./attempt-context.ts";
import type { Execution, TaskIdentity } from "./execution.ts";
import { collected, handOver } from "./generators.ts";
import { inputsRecord, isUpstream, resolveInputs, taskRunsBehind, upstreamsIn } from "./inputs.ts";
import type { ItemStream } from "./item-stream.ts";
import { limited } from "./limited.ts";
import { type Outcome, returned, threw } from "./outcome.ts";
import { inScope, type Scope } from "./scope.ts";
import type { Slots } from "./slots.ts";
import { type ProposedTaskState, TaskStates } from "./task-states.ts";
import { TaskTeller } from "./task-teller.ts";
import { TRACEPARENT_LABEL } from "./tracing.ts";
import { untilDueMs } from "./until-due.ts";

/** Between two looks at the clock when a retry is due but the machine says that it is not. */
const DUE_CHECK_MS = 50;

/** How one call differs from others of its task. */
export interface TaskCall {
  /** What `this` is in the function. */
  readonly self: unknown;
  /** Where the items of a generator go one by one; null when they are only wanted as a list. */
  readonly stream: ItemStream | null;
  /** A run that was made elsewhere: a background task. */
  readonly made?: MadeRun;
}

export interface MadeRun extends TaskIdentity {
  readonly name: string;
  /** All that it has: those of the task, and of the place where it was asked for. */
  readonly tags: readonly string[];
  /** How often it has been RUNNING before. */
  readonly runCount: number;
  /** Under what its result is kept. */
  readonly resultKey: string;
}

export class TaskRunner {
  readonly identity: TaskIdentity;
  readonly name: string;
  readonly #task: TaskDefinition;
  readonly #args: readonly unknown[];
  readonly #scope: Scope;
  readonly #execution: Execution;
  readonly #states: TaskStates;
  /** Of the attempt of the flow, or the task, in which the task was called. */
  readonly #signal: AbortSignal;
  readonly #inputs: Record<string, TaskInput[]>;
  readonly #call: TaskCall;
  readonly #tags: string[];
  readonly #teller: TaskTeller;
  #lastContext: AttemptContext | null = null;

  constructor(task: TaskDefinition, args: readonly unknown[], scope: Scope, call: TaskCall) {
    this.#call = call;
    this.#tags = call.made ? [...call.made.tags] : taggedHere(task.tags, scope.tags);
    this.#task = task;
    this.#args = args;
    this.#scope = scope;
    this.#execution = scope.execution;
    this.#signal = scope.task?.signal ?? this.#execution.signal;
    const { made } = call;
    this.identity = made ?? this.#execution.identify(task.key);
    this.name = task.runName === null && made ? made.name : nameOf(task, args, this.identity.dynamicKey);
    this.#inputs = inputsRecord(args, task.shape.names, scope.task?.taskRunId ?? null);
    const waitedFor = taskRunsBehind(task.waitFor);
    if (waitedFor.length > 0) this.#inputs["wait_for"] = waitedFor;
    this.#teller = new TaskTeller({ task, scope, identity: this.identity, name: this.name, inputs: this.#inputs });
    this.#states = new TaskStates(this.identity.id, scope.flow?.flowRunId ?? null, task.policy, made?.runCount);
    // Told together with the state after it: most tasks start at once.
    this.#states.propose({ type: "PENDING" }, this.#execution.clock.now());
  }

  get task(): TaskDefinition {
    return this.#task;
  }

  get tags(): readonly string[] {
    return this.#tags;
  }

  /** The task that called it; null for the flow itself. */
  get #caller(): TaskRunId | null {
    return this.#scope.task?.taskRunId ?? null;
  }

  get state(): State | null {
    return this.#states.current;
  }

  /** Runs the task when there is a slot for it in each of `slots`. Throws what its last attempt threw. */
  async run(slots: readonly Slots[]): Promise<unknown> {
    const taken: Slots[] = [];
    const beginning = this.#teller.begin(this.#args);
    if (beginning !== null) await beginning;
    try {
      const args = upstreamsIn(this.#args).length > 0 ? await resolveInputs(this.#args) : this.#args;
      if (this.#task.waitFor.length > 0) await resolveInputs(this.#task.waitFor);
      for (const slot of slots) {
        await slot.acquire(this.#signal);
        taken.push(slot);
      }
      await this.#execution.session?.ready();
      this.#signal.throwIfAborted();
      const keeping = this.#mayBeKept ? await this.#keeping(args) : null;
      return await (keeping === null ? this.#limited(args, null) : this.#keep(args, keeping));
    } catch (error) {
      if (this.#states.runCount === 0) this.#teller.span?.threw(error);
      await this.#leaveUnfinished(error);
      throw error;
    } finally {
      this.#teller.span?.end(this.#states.current);
      for (const slot of taken) slot.release();
    }
  }

  /** Answers a result that is stored already, or makes one. */
  async #keep(args: readonly unknown[], keeping: Keeping): Promise<unknown> {
    try {
      const found = await keeping.find();
      if (found === null) return await this.#limited(args, keeping);
      this.#execution.budget?.restored();
      const isCached = found.from === "cache";
      this.#teller.beginAssets(args);
      this.#enter({
        type: "COMPLETED",
        ...(isCached ? { name: "Cached" } : {}),
        message: isCached
          ? "The result was taken from the cache."
          : "Restored from an earlier attempt of the flow run.",
        data: found.reference,
      });
      if (isCached) this.#teller.ended(found.value, this.#states.current, this.#scope.task);
      this.#execution.lineage.followValue(this.identity.id, found.value);
      await this.#enlist(keeping);
      await handOver(found.value, this.#call.stream, this.#signal);
      return found.value;
    } finally {
      await keeping.close();
    }
  }

  /** Nothing is loaded, and nothing asked of the environment, for tasks of which nothing is kept. */
  get #mayBeKept(): boolean {
    const { persist, cache } = this.#task;
    return persist || cache !== null || this.#call.made !== undefined || this.#execution.memory?.persists === true;
  }

  async #keeping(args: readonly unknown[]): Promise<Keeping | null> {
    const { storage, serializer } = this.#task;
    const { Keeping } = await import("../results/keeping.ts");
    return Keeping.for({
      task: this.#task,
      args,
      scope: this.#scope,
      identity: this.identity,
      runName: this.name,
      resultKey: this.#call.made?.resultKey ?? null,
      storage: storage ?? this.#execution.resultStorage ?? resultStorage(),
      serializer: serializer ?? resultSerializer(),
      clock: this.#execution.clock,
      signal: this.#signal,
      log: (level, message) => this.#execution.log(level, message, this.#scope.task),
    });
  }

  /** Runs the task while it holds a slot of each limit that one of its tags has. */
  async #limited(args: readonly unknown[], keeping: Keeping | null): Promise<unknown> {
    if (this.#tags.length === 0) return await this.#attempts(args, keeping);
    const release = await holdTags(this.#tags, this.identity.id, this.#signal);
    try {
      return await this.#attempts(args, keeping);
    } finally {
      await release?.();
    }
  }

  async #attempts(args: readonly unknown[], keeping: Keeping | null): Promise<unknown> {
    const { budget } = this.#execution;
    await budget?.boundary(this.#caller, this.#signal);
    const isRepeated = this.#execution.memory?.known(this.#task.key, this.identity.dynamicKey) != null;
    budget?.begin(this.identity.id, this.#caller, isRepeated);
    try {
      return await this.#attemptUntilDone(args, keeping);
    } finally {
      budget?.end(this.identity.id, this.#states.current?.type === "COMPLETED" && this.#states.current.data !== null);
    }
  }

  async #attemptUntilDone(args: readonly unknown[], keeping: Keeping | null): Promise<unknown> {
    this.#teller.beginAssets(args);
    this.#enter({ type: "RUNNING" });
    for (;;) {
      const context = new AttemptContext(this, this.#scope, args, this.#states.runCount, this.#signal);
      this.#lastContext = context;
      keeping?.begin(context);
      this.#teller.started(args, context);
      const { onRunning, onCompletion, onFailure, onCancellation } = this.#task.hooks;
      if (onRunning) await this.#callHooks(onRunning, context);
      let outcome = await this.#attempt(args, context);
      let isFinal = false;
      if (outcome.ok) {
        try {
          // What nobody wanted all of is not the result.
          const isWhole = this.#call.stream?.isClosed !== true;
          const data = keeping === null || !isWhole ? null : await keeping.store(outcome.value);
          this.#enter({ ...outcome.proposal, data });
          const telling = this.#teller.succeeded(outcome.value, this.#states.current, context);
          if (telling !== null) await telling;
          if (onCompletion) await this.#callHooks(onCompletion, context);
          const enlisted = this.#enlist(keeping);
          if (enlisted !== null) await enlisted;
          return outcome.value;
        } catch (error) {
          // Another attempt would make the same.
          outcome = threw(error);
          isFinal = true;
        }
      }
      this.#teller.span?.threw(outcome.error);
      // Told to stop, it is not retried.
      if (this.#signal.aborted) throw outcome.error;
      const { type } = outcome.proposal;
      if (type === "FAILED" && !isFinal) isFinal = !(await this.#isWorthARetry(outcome.error, context));
      const state = this.#enter({ ...outcome.proposal, ...(isFinal ? { retriable: false } : {}) });
      if (isTerminal(state.type)) {
        await this.#teller.failed(outcome.error, state, context);
        const hooks = state.type === "CANCELLED" ? onCancellation : onFailure;
        if (hooks) await this.#callHooks(hooks, context);
        throw outcome.error;
      }
      await this.#waitForRetry(state, outcome.error, context);
    }
  }

  async #attempt(args: readonly unknown[], context: AttemptContext): Promise<Outcome> {
    const { run, shape, timeoutMs } = this.#task;
    const given = [...args];
    if (shape.contextIndex !== null && args.length <= shape.contextIndex) given[shape.contextIndex] = context;
    const limits = {
      clock: this.#execution.clock,
      signal: this.#signal,
      timeoutMs,
      cleanUpMs: () => this.#execution.cleanUpMs,
      onTimeout: () => context.timeOut(new TimedOutError(`Task run "${this.name}"`, timeoutMs ?? 0)),
    };
    const around = this.#execution.session?.around;
    const { self, stream } = this.#call;
    const own = (): Promise<unknown> => collected(run.apply(self, given), { stream, signal: context.signal });
    const code = around === undefined ? own : () => around(context, own);
    const inTime = (): Promise<unknown> => limited(code, limits);
    try {
      return await returned(
        await inScope(this.#teller.within(context), () => this.#teller.span?.inside(inTime) ?? inTime()),
      );
    } catch (error) {
      return threw(error);
    } finally {
      context.end();
    }
  }

  /** What is to be done when the transaction around the task run ends; without one, it is committed by itself. */
  #enlist(keeping: Keeping | null): Promise<void> | null {
    const { onCommit, onRollback } = this.#task.hooks;
    const outer = this.#scope.transaction;
    if (outer === undefined && onCommit === undefined) return null;
    const transaction = outer ?? new Transaction(null);
    if (onCommit) transaction.onCommit(onCommit);
    if (keeping !== null) transaction.onRollback(() => keeping.forget());
    if (onRollback) transaction.onRollback(onRollback);
    // Undone last first: its state says so before its own hooks are called.
    transaction.onRollback(() => this.#rolledBack());
    return outer === undefined ? inScope(this.#scope, () => transaction.close("eager")) : null;
  }

  #rolledBack(): void {
    this.#enter({
      type: "COMPLETED",
      name: "RolledBack",
      message: "The transaction that the task run belonged to was undone.",
      isForced: true,
    });
  }

  async #callHooks(hooks: Hooks<TaskContext>, context: TaskContext): Promise<void> {
    const state = this.#states.current;
    if (state === null) return;
    await inScope(this.#teller.within(context), () =>
      callHooks(hooks, context, state, (level, message) => this.#execution.log(level, message, context)),
    );
  }

  async #isWorthARetry(error: unknown, context: TaskContext): Promise<boolean> {
    const { retryCondition, policy } = this.#task;
    if (!allowsRetry(error)) return false;
    if (retryCondition === null || context.runCount > (policy.retries ?? 0)) return true;
    try {
      return await retryCondition(error, context);
    } catch (conditionError) {
      this.#execution.log("error", `The retry condition has failed. ${errorStack(conditionError)}`, context);
      return false;
    }
  }

  async #waitForRetry(state: State, error: unknown, context: TaskContext): Promise<void> {
    const delayMs = untilDueMs(state);
    const attempts = (this.#task.policy.retries ?? 0) + 1;
    this.#execution.log(
      "warn",
      `Attempt ${context.runCount} of ${attempts} failed; the next starts ${delayMs > 0 ? `in ${formatDuration(delayMs)}` : "at once"}. ${errorMessage(error)}`,
      context,
    );
    if (state.type === "RUNNING") return;
    await sleep(this.#execution.clock, delayMs, this.#signal);
    while (this.#enter({ type: "RUNNING" }).type !== "RUNNING") {
      await sleep(this.#execution.clock, DUE_CHECK_MS, this.#signal);
    }
  }

  /** An end that no attempt has come to: inputs failed, or the flow has ended first. */
  async #leaveUnfinished(error: unknown): Promise<void> {
    if (isTerminal(this.#states.current?.type)) return;
    // It never began, and whoever goes on with the run calls it.
    if (this.#execution.stopRequest?.action === "hand over" && this.#states.runCount === 0) return;
    if (error instanceof UpstreamFailedError && this.#states.runCount === 0) {
      this.#enter({ type: "PENDING", name: "NotReady", message: error.message });
      return;
    }
    const request = this.#execution.stopRequest;
    const isCrash = request?.action === "lost" || (request?.action === "ended" && request.state.type === "CRASHED");
    const type = isCrash ? "CRASHED" : "CANCELLED";
    this.#enter({ type, message: `Stopped before its end. ${errorMessage(error)}` });
    const { onCancellation, onCrashed } = this.#task.hooks;
    const hooks = isCrash ? onCrashed : onCancellation;
    if (hooks && this.#lastContext !== null) await this.#callHooks(hooks, this.#lastContext);
  }

  /** Proposes a state and reports what the machine made of it. */
  #enter(proposed: ProposedTaskState): State {
    const task = this.#task;
    const state = this.#states.propose(proposed, this.#execution.clock.now());
    const states = this.#states.takeUnreported();
    const { span } = this.#teller;
    if (span !== null) for (const one of states) span.entered(one);
    if (states.length > 0) {
      this.#execution.report({
        id: this.identity.id,
        name: this.name,
        task_key: task.key,
        dynamic_key: this.identity.dynamicKey,
        task_version: task.version,
        cache_key: null,
        empirical_policy: task.policy,
        tags: this.#tags,
        labels: span === null ? {} : { [TRACEPARENT_LABEL]: span.traceparent },
        task_inputs: this.#inputs,
        run_count: this.#states.runCount,
        flow_run_run_count: this.#execution.runCount,
        states,
      });
    }
    return state;
  }
}

function nameOf(task: TaskDefinition, args: readonly unknown[], dynamicKey: string): string {
  if (task.runName === null) return `${task.name}-${dynamicKey}`;
  if (typeof task.runName !== "string") return task.runName(...args);
  return task.runName.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const index = task.shape.names.indexOf(name);
    const value = args[index];
    if (index < 0 || value === undefined) return whole;
    if (isUpstream(value)) return value.name;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  });
}
