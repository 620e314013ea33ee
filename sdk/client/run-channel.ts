/**
 * The run channel as the process that runs a flow uses it (protocol/run-channel.ts).
 *
 * Items are collected into numbered batches: what is added in one turn of the event loop goes into one frame, at once
 * while nothing is in flight, otherwise with the next acknowledgement or when enough has gathered. A lost connection is
 * made again with full jitter, and everything unacknowledged is sent again in its order; the owner of the run stores
 * nothing twice. Where WebSockets do not get through, the same frames travel by requests.
 */
import { ERROR_STATUS, type ErrorCode, SluiceError } from "../protocol/errors.ts";
import type { FlowRun } from "../protocol/flow-runs.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import type { LogCreate } from "../protocol/logs.ts";
import { RUN_CHANNEL_PROTOCOL, type RunServerFrame, type TaskReport } from "../protocol/run-channel.ts";
import { isTerminal, type OrchestrationResult, type State, type StateCreate } from "../protocol/states.ts";
import type { ApiClient } from "./api-client.ts";
import { ApiUnreachableError } from "./errors.ts";
import { fullJitterMs } from "./jitter.ts";
import { channelClosed, Outbox } from "./outbox.ts";
import { RunTerm } from "./run-term.ts";
import { openRequests, openSocket, type Transport } from "./transport.ts";

/** The first answer of the run's owner. */
export type Welcome = Extract<RunServerFrame, { type: "welcome" }>;

/** Somebody wants the run to stop, or it has been ended without this process. */
export interface RunControl {
  readonly action: "cancel" | "suspend" | "ended";
  readonly state: State;
}

/** Whose channel it is, and who is told what. */
export interface RunChannelOptions {
  /** For addresses and the key. */
  readonly client: ApiClient;
  /** The run, which has to exist. */
  readonly flowRunId: FlowRunId;
  /** Of the claim that the process works under; null when it created the run itself. */
  readonly generation: number | null;
  /** Somebody wants the run to stop, or has ended it. */
  readonly onControl?: (control: RunControl) => void;
  /** The owner of the run refuses this process, or was away for too long: nothing can be reported any more. */
  readonly onFailure?: (error: Error) => void;
  /** The control plane has not been reachable for a while, or is again. For a line on the console. */
  readonly onConnection?: (change: "lost" | "back", reason: string) => void;
  /**
   * Told at each sign of life of a run that is offered again when its process is lost: in how many milliseconds from now
   * the control plane takes this process for lost without another one. The channel fails before.
   */
  readonly onTerm?: (leftMs: number) => void;
  /** In place of the global `WebSocket`; null for requests only. */
  readonly webSocket?: typeof WebSocket | null;
  /** Gives up after this many milliseconds without a connection. Default one hour. */
  readonly giveUpAfterMs?: number;
  /** Gives up this early as long as it was never welcomed, in milliseconds. Default one minute. */
  readonly openWithinMs?: number;
}

/** Items that are sent without waiting for an acknowledgement when they have gathered. */
const EAGER_ITEMS = 200;
/** Unacknowledged items above which producers are asked to wait. */
const PENDING_ITEMS = 10_000;
const WELCOME_WITHIN_MS = 10_000;
const RECONNECT_BASE_MS = 100;
const RECONNECT_MAX_MS = 10_000;
/** WebSockets that fail one after another before the same is tried by request. */
const SOCKET_FAILURES = 2;
/** A WebSocket is tried again after this long on requests. */
const UPGRADE_AFTER_MS = 60_000;

type Mode = "socket" | "requests";

/** One process's way to the owner of its run: states, task runs and log lines go in order and survive lost connections, wishes to stop
 * come back. Open it, tell, and close it. */
export class RunChannel {
  readonly #options: RunChannelOptions;
  readonly #outbox = new Outbox();
  readonly #hello: string;
  readonly #socketClass: typeof WebSocket | null;
  readonly #term: RunTerm;
  #mode: Mode;
  #phase: "new" | "connecting" | "open" | "waiting" | "closed" = "new";
  #transport: Transport | null = null;
  #failure: Error | null = null;
  #failedAttempts = 0;
  #downSince: number | null = null;
  #heardAt = 0;
  #everWelcomed = false;
  /** When the way of travel was last settled, by `performance.now()`. */
  #modeSince = 0;
  #heartbeatMs = 10_000;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #heartbeat: ReturnType<typeof setInterval> | null = null;
  #pumpScheduled = false;
  /** Settles when the proposals so far are answered; null when none is under way. */
  #lastVerdict: Promise<void> | null = null;
  #welcomed = Promise.withResolvers<Welcome>();
  #waiters: { readonly until: () => boolean; readonly done: () => void; readonly fail: (error: Error) => void }[] = [];

  constructor(options: RunChannelOptions) {
    this.#options = options;
    this.#socketClass = options.webSocket === undefined ? (globalThis.WebSocket ?? null) : options.webSocket;
    this.#mode = this.#socketClass === null ? "requests" : "socket";
    const tooLong = "for so long that its run is given to another process (sluice.on_lost is retry), so this one ends";
    this.#term = new RunTerm({
      onTerm: options.onTerm,
      giveUp: () => this.#fail(new ApiUnreachableError(options.client.url, tooLong)),
    });
    this.#hello = JSON.stringify({
      type: "hello",
      protocol: RUN_CHANNEL_PROTOCOL,
      session: crypto.randomUUID(),
      generation: options.generation,
    });
    // Whoever waits hears of a failure; nobody has to.
    this.#welcomed.promise.catch(() => undefined);
  }

  /**
   * Connects and answers the run as its owner has it. Throws `SluiceError` when the owner refuses the process (no such
   * run, the claim is over, no permission) and {@link ApiUnreachableError} when nobody answers in time.
   */
  async open(): Promise<FlowRun> {
    if (this.#phase === "new") {
      this.#downSince = performance.now();
      this.#connect();
    }
    return (await this.#welcomed.promise).run;
  }

  /** Tells of states of a task run. States of one task that are still waiting to be sent are joined into one report. */
  reportTask(task: TaskReport): void {
    this.#add({ kind: "task", task });
  }

  log(log: LogCreate): void {
    this.#add({ kind: "log", log });
  }

  /** Waits while so much is unacknowledged that producers should not add more; null when there is no need to wait. */
  ready(): Promise<void> | null {
    if (this.#failure !== null || this.#outbox.pendingItems < PENDING_ITEMS) return null;
    return this.#until(() => this.#outbox.pendingItems < PENDING_ITEMS / 2);
  }

  /**
   * Proposes a state of the flow run, after everything that was added before, and answers the verdict, across
   * reconnects. A proposal waits for the verdict on the one before: the owner recognises a repeat by the run's current
   * state, so of two that are under way it would take the older for a new one. Throws when the control plane refuses the
   * process or stays away too long.
   */
  propose(state: StateCreate, options: { force?: boolean } = {}): Promise<OrchestrationResult> {
    const verdict =
      this.#lastVerdict === null
        ? this.#propose(state, options)
        : this.#lastVerdict.then(() => this.#propose(state, options));
    const settled: Promise<void> = verdict.then(
      () => undefined,
      () => undefined,
    );
    this.#lastVerdict = settled;
    void settled.then(() => {
      if (this.#lastVerdict === settled) this.#lastVerdict = null;
    });
    return verdict;
  }

  #propose(state: StateCreate, options: { force?: boolean }): Promise<OrchestrationResult> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#phase === "closed") return Promise.reject(channelClosed());
    const transitionId = state.state_details.transition_id ?? crypto.randomUUID();
    const named = { ...state, state_details: { ...state.state_details, transition_id: transitionId } };
    const { frames, verdict } = this.#outbox.propose(named, options.force ?? false);
    if (this.#phase === "open") this.#transport?.send(frames);
    return verdict;
  }

  /** Resolves when everything that was added is stored. Throws when that cannot happen any more. */
  flush(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#pump(true);
    return this.#outbox.isEmpty ? Promise.resolve() : this.#until(() => this.#outbox.isEmpty);
  }

  /**
   * Flushes and closes. Afterwards nothing of the channel keeps the process alive, even if the flush has failed. Throws
   * when something could not be stored.
   */
  async close(): Promise<void> {
    try {
      if (this.#failure !== null) throw this.#failure;
      if (this.#phase !== "new" && this.#phase !== "closed") await this.flush();
    } finally {
      this.#stop();
    }
  }

  #add(item: { kind: "task"; task: TaskReport } | { kind: "log"; log: LogCreate }): void {
    // The failure was or will be told to whoever proposes the next state or flushes.
    if (this.#failure !== null) return;
    if (this.#phase === "closed") throw channelClosed();
    this.#outbox.add(item);
    if (this.#outbox.queued >= EAGER_ITEMS) this.#pump(false);
    else if (!this.#pumpScheduled) {
      this.#pumpScheduled = true;
      setTimeout(() => {
        this.#pumpScheduled = false;
        this.#pump(false);
      }, 0);
    }
  }

  /** Frames and sends what is due: all of it when nothing is in flight, otherwise only full batches. */
  #pump(all: boolean): void {
    if (this.#phase !== "open") return;
    while (all || this.#outbox.batchesInFlight === 0 || this.#outbox.queued >= EAGER_ITEMS) {
      const frame = this.#outbox.frame();
      if (frame === null) return;
      this.#transport?.send([frame]);
    }
  }

  #connect(): void {
    this.#phase = "connecting";
    const { client, flowRunId } = this.#options;
    const open = this.#mode === "socket" ? openSocket : openRequests;
    const transport = open(
      { client, flowRunId, hello: this.#hello, webSocket: this.#socketClass },
      {
        frame: (frame) => this.#receive(frame),
        heard: () => {
          this.#heardAt = performance.now();
        },
        shown: (at) => this.#term.shown(at),
        down: (reason) => this.#lose(reason),
        refused: (error) => this.#fail(error),
      },
    );
    this.#transport = transport;
    this.#setTimer(WELCOME_WITHIN_MS, () => this.#lose("no welcome arrived in time"));
  }

  #receive(frame: RunServerFrame): void {
    switch (frame.type) {
      case "welcome":
        this.#welcome(frame);
        break;
      case "ack":
        this.#outbox.acknowledge(frame.n);
        this.#pump(false);
        break;
      case "verdict":
        this.#outbox.answer(frame.id, frame.result);
        break;
      case "control":
        this.#options.onControl?.({ action: frame.action, state: frame.state });
        break;
      case "error":
        this.#refused(frame);
        break;
      default:
        frame satisfies never;
    }
    this.#wakeWaiters();
  }

  #welcome(welcome: Welcome): void {
    this.#outbox.acknowledge(welcome.acked);
    const isFirst = !this.#everWelcomed;
    this.#everWelcomed = true;
    if (this.#phase === "connecting") {
      this.#clearTimer();
      this.#phase = "open";
      if (this.#failedAttempts > SOCKET_FAILURES) this.#options.onConnection?.("back", "connected again");
      this.#failedAttempts = 0;
      this.#downSince = null;
      this.#modeSince = performance.now();
      this.#heartbeatMs = welcome.heartbeat_interval_ms;
      this.#term.begin(welcome.run, this.#heartbeatMs);
      this.#startHeartbeat();
      const again = this.#outbox.unacknowledged();
      if (again.length > 0) this.#transport?.send(again);
      this.#pump(false);
    }
    this.#welcomed.resolve(welcome);
    if (!isFirst) this.#noticeMissedControl(welcome.run.state);
  }

  /** What somebody decided about the run while there was no connection. */
  #noticeMissedControl(state: State | null): void {
    if (state === null || this.#outbox.hasProposals) return;
    const { onControl } = this.#options;
    if (state.type === "CANCELLING") onControl?.({ action: "cancel", state });
    else if (state.type === "PAUSED" && state.state_details.pause_reschedule) onControl?.({ action: "suspend", state });
    else if (isTerminal(state.type)) onControl?.({ action: "ended", state });
  }

  #refused(frame: Extract<RunServerFrame, { type: "error" }>): void {
    const code = frame.code in ERROR_STATUS ? (frame.code as ErrorCode) : "conflict";
    if (ERROR_STATUS[code] === 503) this.#lose(frame.message);
    else this.#fail(new SluiceError(code, frame.message, { fix: frame.fix }));
  }

  #startHeartbeat(): void {
    this.#stopHeartbeat();
    this.#heardAt = performance.now();
    this.#heartbeat = setInterval(() => {
      const now = performance.now();
      if (this.#mode === "socket" && now - this.#heardAt > 2.5 * this.#heartbeatMs) {
        this.#lose("nothing was heard for two heartbeats");
      } else if (this.#mode === "requests" && this.#socketClass !== null && now - this.#modeSince > UPGRADE_AFTER_MS) {
        this.#mode = "socket";
        this.#lose("a WebSocket is tried again");
      } else this.#transport?.ping();
    }, this.#heartbeatMs);
  }

  /** The connection is gone: another one is made after a wait. */
  #lose(reason: string): void {
    if (this.#phase !== "open" && this.#phase !== "connecting") return;
    const now = performance.now();
    const wasOpen = this.#phase === "open";
    this.#phase = "waiting";
    this.#transport?.close();
    this.#transport = null;
    this.#stopHeartbeat();
    this.#downSince ??= now;
    this.#failedAttempts++;
    if (this.#failedAttempts === SOCKET_FAILURES + 1) this.#options.onConnection?.("lost", reason);
    const { openWithinMs = 60_000, giveUpAfterMs = 3_600_000, client } = this.#options;
    if (now - this.#downSince > (this.#everWelcomed ? giveUpAfterMs : openWithinMs)) {
      this.#fail(new ApiUnreachableError(client.url, reason));
      return;
    }
    this.#mode = this.#nextMode(wasOpen);
    // A control plane that is back waits three intervals for its runs: every process has to look within one.
    const longestMs = Math.min(RECONNECT_MAX_MS, this.#heartbeatMs);
    const delayMs = fullJitterMs(this.#failedAttempts - 1, RECONNECT_BASE_MS, longestMs);
    this.#setTimer(wasOpen ? delayMs / 4 : delayMs, () => this.#connect());
  }

  /** After WebSockets that failed, one attempt by request finds out whether only they do not get through. */
  #nextMode(wasOpen: boolean): Mode {
    if (this.#socketClass === null) return "requests";
    if (wasOpen) return this.#mode;
    if (this.#mode === "requests") return "socket";
    return this.#failedAttempts % SOCKET_FAILURES === 0 ? "requests" : "socket";
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#stop();
    this.#outbox.fail(error);
    this.#welcomed.reject(error);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.fail(error);
    this.#options.onFailure?.(error);
  }

  #stop(): void {
    this.#phase = "closed";
    this.#clearTimer();
    this.#term.end();
    this.#stopHeartbeat();
    this.#transport?.close();
    this.#transport = null;
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((done, fail) => {
      this.#waiters.push({ until: condition, done, fail });
    });
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.until()) waiter.done();
      else this.#waiters.push(waiter);
    }
  }

  #setTimer(spanMs: number, callback: () => void): void {
    this.#clearTimer();
    this.#timer = setTimeout(callback, spanMs);
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #stopHeartbeat(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }
}
