/** A worker in this process that speaks the worker channel and plays its runs itself, or leaves them to whoever measures. */
import { fullJitterMs } from "../../sdk/client/jitter.ts";
import { converse } from "../channel.ts";

/** As `sluice worker start` waits before it connects again. */
const RECONNECT_BASE_MS = 250;
const RECONNECT_MAX_MS = 10_000;

export interface Ticket {
  readonly flow_run_id: string;
  readonly generation: number;
}

export interface DrivenWorkerOptions {
  readonly origin: string;
  readonly pool: string;
  readonly name: string;
  readonly limit: number;
  /** Called in the moment in which the run arrives. */
  onRun(ticket: Ticket, worker: DrivenWorker): void;
  onWelcome?(worker: DrivenWorker): void;
}

export class DrivenWorker {
  readonly #options: DrivenWorkerOptions;
  #socket: WebSocket | null = null;
  #isStopped = false;
  #attempt = 0;
  /** Connections that were tried, the first one included. */
  attempts = 0;

  constructor(options: DrivenWorkerOptions) {
    this.#options = options;
  }

  connect(): void {
    if (this.#isStopped) return;
    const { origin, pool, name, limit, onRun, onWelcome } = this.#options;
    const socket = new WebSocket(`${origin.replace("http", "ws")}/api/work_pools/${pool}/channel`);
    this.#socket = socket;
    this.attempts += 1;
    socket.addEventListener("open", () => {
      const hello = { type: "hello", protocol: 1, worker_name: name, worker_type: "process", limit };
      socket.send(JSON.stringify(hello));
    });
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; ticket: Ticket };
      if (frame.type === "run") onRun(frame.ticket, this);
      if (frame.type !== "welcome") return;
      this.#attempt = 0;
      onWelcome?.(this);
    });
    socket.addEventListener("error", () => this.#lost(socket));
    socket.addEventListener("close", () => this.#lost(socket));
  }

  released({ flow_run_id, generation }: Ticket): void {
    this.#socket?.send(JSON.stringify({ type: "released", flow_run_id, generation }));
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.close();
  }

  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    const waitMs = fullJitterMs(this.#attempt, RECONNECT_BASE_MS, RECONNECT_MAX_MS);
    this.#attempt += 1;
    setTimeout(() => this.connect(), waitMs);
  }
}

/** As many workers as are wanted, connected; each of `limit` runs. */
export async function connected(
  count: number,
  options: Omit<DrivenWorkerOptions, "name">,
): Promise<readonly DrivenWorker[]> {
  let welcomed = 0;
  const all = Promise.withResolvers<void>();
  const onWelcome = (worker: DrivenWorker): void => {
    options.onWelcome?.(worker);
    if (++welcomed === count) all.resolve();
  };
  const workers = Array.from({ length: count }, (_, at) => {
    return new DrivenWorker({ ...options, name: `driven-${at}`, onWelcome });
  });
  for (const worker of workers) worker.connect();
  await all.promise;
  return workers;
}

/** Runs nothing, and reports as the process of a run does: Running, then Completed. */
export async function play(origin: string, { flow_run_id: id, generation }: Ticket): Promise<void> {
  const channel = await converse(`${origin.replace("http", "ws")}/api/flow_runs/${id}/channel`);
  channel.send({ type: "hello", protocol: 1, session: crypto.randomUUID(), generation });
  await channel.next();
  for (const [index, type] of ["RUNNING", "COMPLETED"].entries()) {
    channel.send({ type: "propose", id: index + 1, state: { type } });
    await channel.next();
  }
  channel.close();
}
