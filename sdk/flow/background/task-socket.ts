/** One place of a task worker: a connection over which it gets one task at a time, and keeps it until it has ended. */
import type { ApiClient } from "../../client/index.ts";
import { fullJitterMs } from "../../client/jitter.ts";
import { TaskRun } from "../../protocol/task-runs.ts";
import { HOLD_PARAMETER } from "../../protocol/task-workers.ts";

const RECONNECT_BASE_MS = 300;
const RECONNECT_MAX_MS = 10_000;
/** A connection that breaks is mostly back at once: of that nobody is told. */
const TOLD_AT_ATTEMPT = 1;

export interface TaskSocketParts {
  readonly client: ApiClient;
  readonly keys: readonly string[];
  readonly clientId: string;
  /** Executes a task to its end. Never rejects. */
  readonly execute: (run: TaskRun) => Promise<void>;
  readonly onReady: () => void;
  /** Told when the control plane closes for a reason of its own, or is out of reach. */
  readonly onTrouble: (reason: string) => void;
}

export class TaskSocket {
  readonly #parts: TaskSocketParts;
  readonly #holder = crypto.randomUUID();
  #socket: WebSocket | null = null;
  #inHand: { readonly run: TaskRun; readonly ended: Promise<void> } | null = null;
  #attempts = 0;
  #isClosing = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: TaskSocketParts) {
    this.#parts = parts;
    this.#connect();
  }

  get isBusy(): boolean {
    return this.#inHand !== null;
  }

  /** Takes nothing more; resolves when the task in hand has ended and that was told. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#inHand === null) this.#end();
    else await this.#inHand.ended;
  }

  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  #connect(): void {
    const { client, keys, clientId } = this.#parts;
    const address = client.socketUrl(`/task_runs/subscriptions/scheduled?${HOLD_PARAMETER}=${this.#holder}`);
    const socket = new WebSocket(address, "prefect");
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "auth", token: client.key })));
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { readonly type?: unknown };
      if (frame.type === "auth_success") {
        this.#attempts = 0;
        const { run } = this.#inHand ?? {};
        const inHand = run === undefined ? null : { id: run.id, task_key: run.task_key };
        socket.send(JSON.stringify({ type: "subscribe", keys, client_id: clientId, in_hand: inHand }));
        this.#parts.onReady();
        return;
      }
      const run = TaskRun.safeParse(frame);
      if (run.success) this.#take(run.data);
      else this.#parts.onTrouble(`A task was not understood: ${run.error.issues[0]?.message ?? "invalid"}.`);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (this.#isClosing && this.#inHand === null) return;
      if (code === 1008 || code === 4001) this.#parts.onTrouble(`The control plane refused the task worker: ${reason}`);
      else if (this.#attempts === TOLD_AT_ATTEMPT) {
        this.#parts.onTrouble(`Not connected to the Sluice API at ${client.url}. It is tried again until it answers.`);
      }
      const waitMs = fullJitterMs(this.#attempts++, RECONNECT_BASE_MS, RECONNECT_MAX_MS);
      this.#timer = setTimeout(() => this.#connect(), waitMs);
    });
  }

  #take(run: TaskRun): void {
    if (this.#isClosing || this.#inHand !== null) return;
    const ended = this.#parts.execute(run).then(() => {
      this.#inHand = null;
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "ack" }));
      if (this.#isClosing) this.#end();
    });
    this.#inHand = { run, ended };
  }
}
