/**
 * The worker channel by requests, in the shape of a WebSocket: for a worker whose sockets are cut again and again. While
 * nothing is to be done, one request waits at the control plane; what there is to say begins another.
 */
import { type ApiClient, ApiUnreachableError } from "../client/index.ts";
import { pause } from "../client/jitter.ts";
import { SluiceError } from "../protocol/errors.ts";
import { CHANNEL_PING, CHANNEL_PONG } from "../protocol/run-channel.ts";
import type { WorkerClientFrame, WorkerServerFrame } from "../protocol/worker-channel.ts";
import { pollWorkerChannel } from "../protocol/worker-poll.ts";

/** What the worker channel needs of a connection; a WebSocket is one. */
export interface ChannelSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

export interface PollSocketOptions {
  readonly client: ApiClient;
  readonly poolName: string;
  /** What each request begins with: the worker as it is now. */
  hello(): WorkerClientFrame;
}

/** How long a request waits; where it is cut, the next ones wait for a quarter of it. */
const LONGEST_WAIT_MS = 10_000;
const SHORTEST_WAIT_MS = 1_000;
/** Requests in a row that may fail before the connection counts as lost. */
const FAILURES_ALLOWED = 3;
const AGAIN_MS = 200;
const ABNORMAL = 1006;

export class PollSocket implements ChannelSocket {
  readonly #options: PollSocketOptions;
  readonly #listeners = new Map<string, ((event: { readonly data: unknown; readonly code: number }) => void)[]>();
  #isOpen = true;
  #isWelcomed = false;
  #isDraining = false;
  #waitMs = LONGEST_WAIT_MS;
  #failures = 0;
  /** Counts requests: only the newest one is followed by another. */
  #newest = 0;

  constructor(options: PollSocketOptions) {
    this.#options = options;
    queueMicrotask(() => this.#tell("open"));
  }

  get readyState(): number {
    return this.#isOpen ? WebSocket.OPEN : WebSocket.CLOSED;
  }

  addEventListener(type: string, listener: (event: { readonly data: unknown; readonly code: number }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    // While requests are answered the control plane is there; heartbeats of their own are not needed.
    if (text === CHANNEL_PING) {
      this.#tell("message", CHANNEL_PONG);
      return;
    }
    const frame = JSON.parse(text) as WorkerClientFrame;
    if (frame.type === "drain") this.#isDraining = true;
    // That a process is gone is told by the next hello, which does not list it any more.
    void this.#poll();
  }

  close(): void {
    this.#isOpen = false;
    this.#newest++;
  }

  async #poll(): Promise<void> {
    const mine = ++this.#newest;
    while (this.#isOpen && mine === this.#newest) {
      const { client, poolName, hello } = this.#options;
      const frames: WorkerClientFrame[] = this.#isDraining ? [hello(), { type: "drain" }] : [hello()];
      const wait_ms = this.#isWelcomed ? this.#waitMs : 0;
      try {
        const answer = await client.call(
          pollWorkerChannel,
          { params: { name: poolName }, body: { frames, wait_ms } },
          { patienceMs: 0 },
        );
        this.#failures = 0;
        for (const frame of answer.frames) this.#hear(frame);
        // A request that was overtaken by another says nothing of the connection.
        this.#tell("message", CHANNEL_PONG);
      } catch (error) {
        if (mine !== this.#newest) return;
        this.#failures++;
        this.#waitMs = Math.max(SHORTEST_WAIT_MS, this.#waitMs / 4);
        const isPassing = error instanceof ApiUnreachableError || (error instanceof SluiceError && error.status >= 500);
        if (!isPassing || this.#failures > FAILURES_ALLOWED) return this.#lose();
        await pause(AGAIN_MS * 2 ** this.#failures);
      }
    }
  }

  #hear(frame: WorkerServerFrame): void {
    if (frame.type === "welcome") {
      // Each request is welcomed; the worker is to hear of it once, and of the template as it is.
      if (this.#isWelcomed) {
        const template: WorkerServerFrame = { type: "template", base_job_template: frame.base_job_template };
        this.#tell("message", JSON.stringify(template));
        return;
      }
      this.#isWelcomed = true;
    }
    // A run that was given out is taken even if the worker has gone on to another connection meanwhile.
    this.#tell("message", JSON.stringify(frame));
  }

  #lose(): void {
    if (!this.#isOpen) return;
    this.close();
    this.#tell("close");
  }

  #tell(type: string, data: unknown = null): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, code: ABNORMAL });
  }
}
