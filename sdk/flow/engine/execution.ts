/** One flow run while this process executes it; or, without a session, tasks that were called outside of any flow. */

import type { FlowRunId, TaskRunId } from "../../protocol/ids.ts";
import { cutLogMessage } from "../../protocol/log-message.ts";
import type { LogCreate } from "../../protocol/logs.ts";
import type { TaskReport } from "../../protocol/run-channel.ts";
import { toWireTime } from "../../protocol/time.ts";
import type { Clock } from "../clock.ts";
import type { LogLevel } from "../configuration.ts";
import type { TaskContext } from "../context.ts";
import { FlowRunStoppedError } from "../errors.ts";
import type { RunMemory } from "../results/run-memory.ts";
import type { ResultStorage } from "../results/storage.ts";
import { masked } from "../secrets.ts";
import { AssetLineage } from "./asset-lineage.ts";
import type { RunSession, StopRequest } from "./backend.ts";
import { Budget, type BudgetSpan } from "./budget.ts";
import { echo, isLogged, LEVEL_NUMBER } from "./echo.ts";
import type { ItemStream } from "./item-stream.ts";
import { newTaskRunId } from "./new-id.ts";
import { Slots } from "./slots.ts";

const CLEAN_UP_MS = 5_000;
const HAND_OVER_MS = 500;

/** Who hears of tasks outside of flow runs. */
export interface TaskSink {
  report(task: TaskReport): void;
  log(line: LogCreate): void;
}

export interface ExecutionOptions {
  readonly session: RunSession | null;
  /** In place of a session, of tasks that belong to no flow run. Absent: nobody hears of them. */
  readonly sink?: TaskSink;
  /** In place of a session: the flow run that asked for the background task. Default: none did. */
  readonly askedBy?: FlowRunId | null;
  readonly clock: Clock;
  readonly captureConsole: boolean;
  /** Submitted tasks that run at the same time. */
  readonly concurrency: number;
  /** Whether later attempts of the flow find the task runs of earlier ones. */
  readonly remembersTasks: boolean;
  readonly memory: RunMemory | null;
  /** In place of what the process is configured to use. */
  readonly resultStorage?: ResultStorage | null;
  /** How long the process may work on the run; default: as long as it takes. */
  readonly budget?: BudgetSpan | null;
}

/** Names one task run within its flow run, so that another attempt of the flow finds the same one. */
export interface TaskIdentity {
  readonly id: TaskRunId;
  readonly dynamicKey: string;
}

export class Execution {
  readonly session: RunSession | null;
  readonly clock: Clock;
  /** What is known of earlier attempts; null for tasks outside of flow runs. */
  readonly memory: RunMemory | null;
  readonly capturesConsole: boolean;
  readonly resultStorage: ResultStorage | null;
  /** Null where the process has all the time it needs. */
  readonly budget: Budget | null;
  /** What its tasks made and took of assets. */
  readonly lineage = new AssetLineage();
  /** How often the flow run has been RUNNING, this attempt included. */
  runCount = 0;
  /** Bounds submitted tasks; renewed with each attempt. */
  slots: Slots;
  readonly #options: ExecutionOptions;
  readonly #stop = new AbortController();
  #attempt = new AbortController();
  #stopRequest: StopRequest | null = null;
  #counters = new Map<string, number>();
  readonly #knownTasks = new Map<string, TaskRunId>();
  #outstanding = new Set<Promise<unknown>>();
  readonly #streams = new Set<ItemStream>();
  #isOver = false;
  #pauses = 0;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.session = options.session;
    this.clock = options.clock;
    this.memory = options.memory;
    this.capturesConsole = options.captureConsole;
    this.slots = new Slots(options.concurrency);
    this.resultStorage = options.resultStorage ?? null;
    this.budget = options.budget
      ? new Budget(options.budget, options.clock, (how) => this.stop({ action: "hand over", ...how }))
      : null;
  }

  /** Whether it is of a task that the control plane hears of without a flow run. */
  get isBackground(): boolean {
    return this.#options.sink !== undefined;
  }

  /** Aborts when the attempt is to stop, for whatever reason. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Aborts when the run is to stop for good. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why the run is to stop; null as long as nobody wants it to. */
  get stopRequest(): StopRequest | null {
    return this.#stopRequest;
  }

  /** How long code may clean up that is told to stop, in milliseconds: there is no time left where the budget is used up. */
  get cleanUpMs(): number {
    return this.#stopRequest?.action === "hand over" ? HAND_OVER_MS : CLEAN_UP_MS;
  }

  /** Whether the control plane hears of its task runs, so that things can be theirs. */
  get isReported(): boolean {
    return this.session !== null || this.#options.sink !== undefined;
  }

  /** The flow run that its tasks are shown with; null for none. */
  get flowRunId(): FlowRunId | null {
    return this.session?.run.id ?? this.#options.askedBy ?? null;
  }

  /** Numbers the pauses of an attempt, from 1. */
  nextPause(): number {
    return ++this.#pauses;
  }

  /** Nothing is reported any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  stop(request: StopRequest): void {
    if (this.#isOver || this.#stopRequest !== null) return;
    this.#stopRequest = request;
    const error =
      request.action === "lost"
        ? request.error
        : new FlowRunStoppedError(STOP_TEXT[request.action], request.action === "hand over" ? null : request.state);
    this.#stop.abort(error);
    this.#attempt.abort(error);
  }

  beginAttempt(runCount: number): void {
    this.memory?.beginAttempt(this.runCount === 0);
    this.runCount = runCount;
    this.#attempt = new AbortController();
    if (this.#stop.signal.aborted) this.#attempt.abort(this.#stop.signal.reason);
    this.#counters = new Map();
    this.#pauses = 0;
    this.#outstanding = new Set();
    this.slots = new Slots(this.#options.concurrency);
  }

  /** Tells the attempt's code and tasks to stop. */
  endAttempt(reason: unknown): void {
    this.#attempt.abort(reason);
  }

  end(): void {
    this.budget?.close();
    this.#isOver = true;
  }

  /** Generators that somebody iterates end with the code that might go on asking. */
  openStream(stream: ItemStream): void {
    this.#streams.add(stream);
  }

  /** The attempt's code asks for nothing more. */
  closeStreams(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  /** Keeps the attempt open until a task run has ended. */
  track(ended: Promise<unknown>): void {
    this.#outstanding.add(ended);
    const forget = (): void => {
      this.#outstanding.delete(ended);
    };
    void ended.then(forget, forget);
  }

  /** Resolves when no task of the attempt runs any more, also those that were started meanwhile. */
  async tasksEnded(): Promise<void> {
    while (this.#outstanding.size > 0) await Promise.allSettled(this.#outstanding);
  }

  /** Names the next run of a task; by its call, where that has a name that another attempt finds. */
  identify(taskKey: string, callKey: string | null = null): TaskIdentity & { readonly number: number } {
    const number = this.#counters.get(taskKey) ?? 0;
    this.#counters.set(taskKey, number + 1);
    const dynamicKey = callKey ?? String(number);
    const earlier = this.memory?.known(taskKey, dynamicKey)?.id;
    if (!this.#options.remembersTasks) return { id: earlier ?? this.#newTaskRunId(), dynamicKey, number };
    const naturalKey = `${taskKey}/${dynamicKey}`;
    const id = earlier ?? this.#knownTasks.get(naturalKey) ?? this.#newTaskRunId();
    this.#knownTasks.set(naturalKey, id);
    return { id, dynamicKey, number };
  }

  report(task: TaskReport): void {
    if (!this.#isOver) (this.session ?? this.#options.sink)?.report(task);
  }

  /** Keeps a line with the run and echoes it. */
  log(level: LogLevel, message: string, task: TaskContext | null): void {
    echo(level, task?.taskRunName ?? this.session?.run.name ?? "sluice", message);
    this.keepLog(level, message, task, task === null ? "sluice.flow_runs" : "sluice.task_runs");
  }

  /** Keeps a line with the run. A line after the run's end has nowhere to go. */
  keepLog(level: LogLevel, given: string, task: TaskContext | null, loggerName: string): void {
    const hears = this.session ?? this.#options.sink;
    if (hears === undefined || this.#isOver || !isLogged(level)) return;
    const message = masked(given);
    hears.log({
      name: loggerName,
      level: LEVEL_NUMBER[level],
      message: cutLogMessage(message),
      timestamp: toWireTime(this.clock.now()),
      flow_run_id: this.session?.run.id ?? null,
      task_run_id: task?.taskRunId ?? null,
    });
  }

  #newTaskRunId(): TaskRunId {
    return newTaskRunId(this.clock.now(), this.session?.run.id ?? null);
  }
}

const STOP_TEXT = {
  cancel: "The flow run was cancelled.",
  suspend: "The flow run was suspended.",
  ended: "The flow run was ended from outside.",
  "hand over": "The time of this process is over; another one goes on with the flow run.",
} as const satisfies Record<Exclude<StopRequest["action"], "lost">, string>;
