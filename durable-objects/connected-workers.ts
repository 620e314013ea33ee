/**
 * The workers whose sockets are open. What a worker said of itself is stored; its socket carries only its name, so that
 * both survive hibernation. At most one socket per name.
 */
import type { EpochMs } from "#protocol/time";
import type { WorkerRow } from "./storage/pool-rows.ts";
import type { PoolStore } from "./storage/pool-store.ts";

/** What a socket carries while its object is not in memory. */
type SocketState =
  /** Nothing was said on it, or it is being closed: it belongs to no worker. */
  | { readonly kind: "nobody"; readonly since: EpochMs }
  | {
      readonly kind: "worker";
      readonly name: string;
      readonly isDraining: boolean;
    };

export interface ConnectedWorker {
  readonly socket: WebSocket;
  readonly row: WorkerRow;
  readonly isDraining: boolean;
}

export class ConnectedWorkers {
  readonly #ctx: DurableObjectState;
  readonly #byName = new Map<string, ConnectedWorker>();
  /** Sockets on which nobody has said hello, and since when. */
  readonly #nameless = new Map<WebSocket, EpochMs>();
  readonly #lastMessageAt = new Map<WebSocket, EpochMs>();
  /** A worker that showed no sign of life for longer than this span, in milliseconds, counts as gone. */
  silentAfterMs = Number.POSITIVE_INFINITY;

  constructor(ctx: DurableObjectState, store: PoolStore) {
    this.#ctx = ctx;
    for (const socket of ctx.getWebSockets()) {
      const state = stateOf(socket);
      if (state === null || socket.readyState !== WebSocket.OPEN) continue;
      const row = state.kind === "worker" ? store.worker(state.name) : null;
      if (state.kind === "nobody") this.#nameless.set(socket, state.since);
      else if (row) this.#byName.set(state.name, { socket, row, isDraining: state.isDraining });
    }
  }

  /** A socket was opened; nobody has said hello on it. */
  accept(socket: WebSocket, now: EpochMs): void {
    this.#ctx.acceptWebSocket(socket);
    this.#nameless.set(socket, now);
    setState(socket, { kind: "nobody", since: now });
  }

  get(name: string): ConnectedWorker | undefined {
    return this.#byName.get(name);
  }

  /** The worker that speaks on this socket, unless it was replaced. */
  on(socket: WebSocket): ConnectedWorker | undefined {
    const state = stateOf(socket);
    const worker = state?.kind === "worker" ? this.#byName.get(state.name) : undefined;
    return worker?.socket === socket ? worker : undefined;
  }

  all(): Iterable<ConnectedWorker> {
    return this.#byName.values();
  }

  /** Takes over the name; answers the connection that had it. */
  join(socket: WebSocket, row: WorkerRow): ConnectedWorker | undefined {
    const replaced = this.#byName.get(row.name);
    this.#nameless.delete(socket);
    setState(socket, { kind: "worker", name: row.name, isDraining: false });
    this.#byName.set(row.name, { socket, row, isDraining: false });
    return replaced;
  }

  drain(worker: ConnectedWorker): void {
    setState(worker.socket, {
      kind: "worker",
      name: worker.row.name,
      isDraining: true,
    });
    this.#byName.set(worker.row.name, { ...worker, isDraining: true });
  }

  /** The socket belongs to nobody any more. */
  leave(socket: WebSocket, now: EpochMs): void {
    const worker = this.on(socket);
    if (worker) this.#byName.delete(worker.row.name);
    this.#nameless.delete(socket);
    this.#lastMessageAt.delete(socket);
    // A closing socket is still listed by the runtime.
    if (socket.readyState === WebSocket.OPEN) setState(socket, { kind: "nobody", since: now });
  }

  heard(socket: WebSocket, now: EpochMs): void {
    this.#lastMessageAt.set(socket, now);
  }

  /** The last sign of life: a message, or a heartbeat that the runtime answered without waking the object. */
  lastSeenAt(worker: ConnectedWorker): EpochMs {
    const heartbeatAt = this.#ctx.getWebSocketAutoResponseTimestamp(worker.socket)?.getTime() ?? 0;
    const messageAt = this.#lastMessageAt.get(worker.socket) ?? 0;
    return Math.max(worker.row.connectedAt, heartbeatAt, messageAt) as EpochMs;
  }

  isSilent(worker: ConnectedWorker, now: EpochMs): boolean {
    return now - this.lastSeenAt(worker) > this.silentAfterMs;
  }

  /** Sockets of silent workers, and those on which nobody has said hello in the same time. */
  silent(now: EpochMs): WebSocket[] {
    const workers = [...this.#byName.values()].filter((worker) => this.isSilent(worker, now));
    const nameless = [...this.#nameless].filter(([, since]) => now - since > this.silentAfterMs);
    return [...workers.map(({ socket }) => socket), ...nameless.map(([socket]) => socket)];
  }
}

function stateOf(socket: WebSocket): SocketState | null {
  return socket.deserializeAttachment();
}

function setState(socket: WebSocket, state: SocketState): void {
  socket.serializeAttachment(state);
}
