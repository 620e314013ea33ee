/**
 * The worker channel as a worker uses it (protocol/worker-channel.ts): connects, says hello, keeps up the heartbeat and
 * connects again with full jitter. What was not sent is never repeated: the next `hello` tells which runs there still are.
 */
import { type ApiClient, ApiUnreachableError } from "../client/index.ts";
import { fullJitterMs } from "../client/jitter.ts";
import { ERROR_STATUS, type ErrorCode, SluiceError } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { CHANNEL_PING, CHANNEL_PONG } from "../protocol/run-channel.ts";
import { type RunTicket, type WorkerClientFrame, WorkerServerFrame } from "../protocol/worker-channel.ts";
import { type ChannelSocket, PollSocket } from "./poll-socket.ts";

export type WorkerHello = Extract<WorkerClientFrame, { type: "hello" }>;
export type WorkerWelcome = Extract<WorkerServerFrame, { type: "welcome" }>;
type ErrorFrame = Extract<WorkerServerFrame, { type: "error" }>;

export interface WorkerChannelOptions {
  readonly client: ApiClient;
  readonly poolName: string;
  /** What to say at each connection. */
  hello(): WorkerHello;
  /** Makes sure, before each attempt, that the pool may be connected to: a failed upgrade does not say why it failed. */
  check(signal: AbortSignal): Promise<void>;
  onWelcome(welcome: WorkerWelcome): void;
  /** The pool's base job template, with each welcome and after each change. */
  onTemplate(template: JsonObject): void;
  onRun(ticket: RunTicket): void;
  onKill(flowRunId: FlowRunId, generation: number): void;
  /** The connection is gone and will be made again; `attempt` counts from 1 since it was last open. */
  onDown(reason: string, attempt: number): void;
  /** The pool does not want this worker, and trying again is of no use. */
  onRefused(error: SluiceError): void;
}

const RECONNECT_BASE_MS = 250;
/** The longest wait before another attempt, unless the heartbeat is shorter: a pool takes three missed ones for the end. */
const RECONNECT_MAX_MS = 10_000;
const WELCOME_WITHIN_MS = 10_000;
/** A socket that lasted for less than this was cut. */
const LASTING_MS = 60_000;
/** After so many cuts in a row the worker goes by requests, and tries a socket again after a while. */
const CUTS_ALLOWED = 4;
const BY_REQUESTS_MS = 5 * 60_000;

/** Errors after which the same worker may connect again. */
const PASSING: ReadonlySet<string> = new Set<ErrorCode>(["not_ready", "overloaded"]);
/** Close code for a worker of which the pool heard nothing; one that is alive simply connects again. */
const CLOSED_FOR_SILENCE = 4408;

export class WorkerChannel {
  readonly #options: WorkerChannelOptions;
  readonly #stopped = new AbortController();
  #socket: ChannelSocket | null = null;
  /** Sockets that were cut, one after another. */
  #cuts = 0;
  #openedAt = 0;
  /** Until then, by the process's clock, requests stand in for the socket. */
  #byRequestsUntil = 0;
  #isOpen = false;
  #attempt = 0;
  #heardAt = 0;
  #heartbeatMs = RECONNECT_MAX_MS;
  #timer: NodeJS.Timeout | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  /** What the pool said before it closed the connection. */
  #lastError: ErrorFrame | null = null;

  constructor(options: WorkerChannelOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#connect();
  }

  /** Nothing more is to be pushed. Answers whether that could be said now; if not, say it after the next welcome. */
  drain(): boolean {
    return this.#send({ type: "drain" });
  }

  /** The process of a run is gone. */
  released(flowRunId: FlowRunId, generation: number): void {
    this.#send({ type: "released", flow_run_id: flowRunId, generation });
  }

  /** Says hello anew, on another connection. */
  reconnect(): void {
    if (this.#stopped.signal.aborted) return;
    this.#letGo(1000);
    void this.#connect();
  }

  /** Closes the connection for good. */
  stop(): void {
    this.#stopped.abort();
    this.#letGo(1000);
  }

  async #connect(): Promise<void> {
    const { client, poolName, check } = this.#options;
    const signal = this.#stopped.signal;
    try {
      await check(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiUnreachableError) return this.#down(error.message);
      if (error instanceof SluiceError && error.status < 500) return this.#refuse(error);
      return this.#down(error instanceof Error ? error.message : String(error));
    }
    if (signal.aborted) return;
    const socket = this.isByRequests
      ? new PollSocket({ client, poolName, hello: () => this.#options.hello() })
      : this.#openSocket();
    this.#socket = socket;
    this.#openedAt = performance.now();
    this.#lastError = null;
    this.#setTimer(WELCOME_WITHIN_MS, () => this.#lose(socket, "the pool did not answer in time"));
    socket.addEventListener("open", () => socket.send(JSON.stringify(this.#options.hello())));
    socket.addEventListener("message", (event) => this.#receive(socket, event.data));
    socket.addEventListener("error", () => this.#lose(socket, "the WebSocket failed"));
    socket.addEventListener("close", (event) =>
      this.#lose(socket, `the connection was closed (${event.code})`, event.code),
    );
  }

  /** Whether requests stand in for a socket, since sockets were cut again and again. */
  get isByRequests(): boolean {
    return performance.now() < this.#byRequestsUntil;
  }

  #openSocket(): ChannelSocket {
    const { client, poolName } = this.#options;
    const url = client.socketUrl(`/work_pools/${encodeURIComponent(poolName)}/channel`);
    // Headers are an extension of Node's WebSocket.
    const headers: Record<string, string> = client.key === null ? {} : { authorization: `Bearer ${client.key}` };
    return new WebSocket(url, { headers });
  }

  /** Counts a connection that ended without a word of the pool. */
  #wasCut(): void {
    this.#cuts = performance.now() - this.#openedAt < LASTING_MS ? this.#cuts + 1 : 0;
    if (this.#cuts < CUTS_ALLOWED) return;
    this.#cuts = 0;
    this.#byRequestsUntil = performance.now() + BY_REQUESTS_MS;
  }

  #receive(socket: ChannelSocket, data: unknown): void {
    if (socket !== this.#socket) return;
    this.#heardAt = performance.now();
    if (data === CHANNEL_PONG) return;
    const frame = readFrame(data);
    if (frame === null) {
      this.#lose(socket, "a frame was not understood; are worker and server of one version?");
      return;
    }
    switch (frame.type) {
      case "welcome":
        this.#welcome(socket, frame);
        break;
      case "run":
        this.#options.onRun(frame.ticket);
        break;
      case "template":
        this.#options.onTemplate(frame.base_job_template);
        break;
      case "kill":
        this.#options.onKill(frame.flow_run_id, frame.generation);
        break;
      case "error":
        this.#lastError = frame;
        break;
      default:
        frame satisfies never;
    }
  }

  #welcome(socket: ChannelSocket, welcome: WorkerWelcome): void {
    this.#clearTimers();
    this.#isOpen = true;
    this.#attempt = 0;
    this.#heartbeatMs = welcome.heartbeat_interval_ms;
    this.#heartbeat = setInterval(() => {
      const silentMs = performance.now() - this.#heardAt;
      if (silentMs > 2.5 * this.#heartbeatMs) this.#lose(socket, "nothing was heard for two heartbeats");
      else socket.send(CHANNEL_PING);
    }, this.#heartbeatMs);
    this.#options.onTemplate(welcome.base_job_template);
    this.#options.onWelcome(welcome);
  }

  /** The socket is of no use any more. Told once for each. */
  #lose(socket: ChannelSocket, reason: string, closeCode?: number): void {
    if (socket !== this.#socket || this.#stopped.signal.aborted) return;
    this.#letGo(1000);
    const error = this.#lastError;
    if (error === null && !this.isByRequests) this.#wasCut();
    if (error === null || PASSING.has(error.code) || closeCode === CLOSED_FOR_SILENCE) {
      this.#down(error?.message ?? reason);
    } else this.#refuse(new SluiceError(codeOf(error), error.message, { fix: error.fix }));
  }

  #down(reason: string): void {
    this.#attempt++;
    this.#options.onDown(reason, this.#attempt);
    const longestMs = Math.min(RECONNECT_MAX_MS, this.#heartbeatMs);
    this.#setTimer(fullJitterMs(this.#attempt - 1, RECONNECT_BASE_MS, longestMs), () => void this.#connect());
  }

  #refuse(error: SluiceError): void {
    this.stop();
    this.#options.onRefused(error);
  }

  #send(frame: WorkerClientFrame): boolean {
    if (!this.#isOpen || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #letGo(code: number): void {
    this.#clearTimers();
    this.#isOpen = false;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    if (socket.readyState !== WebSocket.CLOSED) socket.close(code);
  }

  #setTimer(spanMs: number, callback: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(callback, spanMs);
  }

  #clearTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#timer = null;
    this.#heartbeat = null;
  }
}

function codeOf(error: ErrorFrame): ErrorCode {
  return error.code in ERROR_STATUS ? (error.code as ErrorCode) : "conflict";
}

function readFrame(data: unknown): WorkerServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    return WorkerServerFrame.safeParse(JSON.parse(data)).data ?? null;
  } catch {
    // Not JSON: the caller ends the connection and says so.
    return null;
  }
}
