/** The sockets of the processes that execute runs, and what their heartbeats say of them. */
import type { FlowRunId } from "#protocol/ids";
import type { RunServerFrame } from "#protocol/run-channel";
import type { State } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import { clock } from "./clock.ts";
import type { ChannelPeer } from "./run-channel-session.ts";

export class RunSockets {
  readonly #ctx: DurableObjectState;
  /** When each run last said something that is not a heartbeat; lost with the object's memory, and missed by nobody. */
  readonly #seenAt = new Map<FlowRunId, EpochMs>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Accepts the socket of a process; it names itself in its first frame. */
  accept(socket: WebSocket, id: FlowRunId): void {
    this.#ctx.acceptWebSocket(socket, [id]);
  }

  /** The run that a socket of {@link accept} was opened for. */
  runOf(socket: WebSocket): FlowRunId {
    return this.#ctx.getTags(socket)[0] as FlowRunId;
  }

  /** The process of a run has said something, by whichever way. */
  seen(id: FlowRunId): void {
    this.#seenAt.set(id, clock.now());
  }

  /** The last sign of life of a run's process, heartbeats included; null when none is known. */
  lastSeen(id: FlowRunId): EpochMs | null {
    let last: number | null = this.#seenAt.get(id) ?? null;
    for (const socket of this.#ctx.getWebSockets(id)) {
      const beat = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? null;
      if (beat !== null && (last === null || beat > last)) last = beat;
    }
    return last as EpochMs | null;
  }

  peerOf(socket: WebSocket): ChannelPeer | null {
    return socket.deserializeAttachment() as ChannelPeer | null;
  }

  /** Remembers who is behind a socket and closes its older ones: a half-open socket would answer for the process. */
  introduce(socket: WebSocket, peer: ChannelPeer): void {
    socket.serializeAttachment(peer);
    for (const other of this.#ctx.getWebSockets(peer.flowRunId)) {
      if (other !== socket && this.peerOf(other)?.session === peer.session) {
        other.close(4001, "The process has connected again.");
      }
    }
  }

  tell(id: FlowRunId, action: "cancel" | "suspend", state: State): void {
    for (const socket of this.#ctx.getWebSockets(id)) {
      if (this.peerOf(socket) === null) continue;
      socket.send(JSON.stringify({ type: "control", action, state } satisfies RunServerFrame));
    }
  }

  closeAll(id: FlowRunId, code: number, reason: string): void {
    for (const socket of this.#ctx.getWebSockets(id)) socket.close(code, reason);
  }
}
