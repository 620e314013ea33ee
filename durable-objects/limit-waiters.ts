/**
 * Those who wait for slots on a WebSocket. The object sleeps meanwhile: what it has to remember of a waiter is
 * attached to the socket.
 */
import type { EpochMs } from "#protocol/time";
import { clock } from "./clock.ts";
import { ComersBack } from "./comers-back.ts";
import { type SlotAnswer, type SlotAsk, WAIT_CLOSE, type WaitFrame } from "./concurrency-limit-owner.ts";
import { newLeaseId } from "./lease-id.ts";
import type { LimitDesk } from "./limit-desk.ts";
import type { LimitFinder, LimitLeases } from "./limit-leases.ts";
import type { LineEntry, Wish } from "./limit-line.ts";

/** What a waiting socket remembers while this object sleeps. */
interface Waiting {
  readonly ask: SlotAsk;
  readonly since: EpochMs;
  /** Id of the limit in whose line it stands; null while an attempt is under way, or once it has the slots. */
  readonly standsAt: string | null;
  /** Id of the lease that was handed over; null before. */
  readonly leaseId: string | null;
}

export interface WaiterParts {
  readonly ctx: DurableObjectState;
  readonly desk: LimitDesk;
  readonly leases: LimitLeases;
  readonly object: LimitFinder;
}

export class LimitWaiters {
  readonly #parts: WaiterParts;
  /** Keys of waiters for whom an attempt is under way, with whether they are called again meanwhile. */
  readonly #trying = new Map<string, boolean>();
  readonly #comersBack = new ComersBack();
  /** Ids of limits that called waiters, by their keys, until the attempt that follows is over. */
  readonly #calledBy = new Map<string, Set<string>>();

  constructor(parts: WaiterParts) {
    this.#parts = parts;
  }

  /** An attempt of an earlier life came to nothing, and who waits for it stands nowhere. */
  takeUpAgain(): void {
    for (const socket of this.#parts.ctx.getWebSockets()) {
      const waiting = waitingOf(socket);
      if (waiting && waiting.leaseId === null && waiting.standsAt === null) setTimeout(() => this.tryFor(socket), 0);
    }
  }

  /** Puts those who are connected here back in line, after memory was lost. */
  lineUp(): void {
    const { ctx, desk } = this.#parts;
    for (const socket of ctx.getWebSockets()) {
      const waiting = waitingOf(socket);
      if (!waiting || waiting.leaseId !== null || waiting.standsAt !== waiting.ask.limits[0]?.id) continue;
      const { asker, slots, holder } = waiting.ask;
      if (asker.key !== null) desk.line.putConnected(asker.key, { asker, slots, holder, since: waiting.since });
    }
  }

  /** Somebody new waits: the other end of the socket is the waiter's. */
  accept(ask: SlotAsk, server: WebSocket): void {
    const { ctx, desk } = this.#parts;
    const key = ask.asker.key ?? ask.leaseId;
    // One that comes back may be here before its last connection was seen to end.
    const last = ctx
      .getWebSockets(key)
      .map(waitingOf)
      .find((waiting) => waiting?.leaseId === null);
    const earlier = this.#comersBack.take(key, clock.now());
    ctx.acceptWebSocket(server, [key]);
    const since = last?.since ?? earlier ?? desk.line.get(key)?.since ?? clock.now();
    const standsAt = last?.standsAt ?? null;
    const waiting: Waiting = { ask: { ...ask, asker: { ...ask.asker, key } }, since, standsAt, leaseId: null };
    server.serializeAttachment(waiting);
    this.tryFor(server);
  }

  /** There are slots at the limit `from`. False: nobody waits here. */
  invited(key: string, from: string): boolean {
    const socket = this.find(key);
    if (!socket) return false;
    this.#calledBy.set(key, (this.#calledBy.get(key) ?? new Set()).add(from));
    this.tryFor(socket);
    return true;
  }

  /** The waiter has closed its socket, or it broke. */
  async left(socket: WebSocket, code: number): Promise<void> {
    const { desk, leases, object } = this.#parts;
    const waiting = waitingOf(socket);
    const key = waiting?.ask.asker.key;
    if (!waiting || !key) return;
    if (waiting.leaseId !== null) {
      if (code !== WAIT_CLOSE.taken) await leases.release(waiting.leaseId);
      return;
    }
    // It is here again already, and has taken over the place.
    if (this.find(key) !== null) return;
    const comesBack = code === WAIT_CLOSE.comesBack;
    if (comesBack) this.#comersBack.remember(key, waiting.since, clock.now());
    const [home] = waiting.ask.limits;
    if (home && waiting.standsAt !== null && waiting.standsAt !== home.id) {
      await object(waiting.standsAt).leave(key);
    } else if (!comesBack) {
      await desk.run(() => desk.line.remove(key));
    } else {
      const { slots, holder, asker } = waiting.ask;
      const wish: Wish = { asker, slots, holder, since: waiting.since };
      await desk.run((now) => desk.line.putPolling(wish, desk.retryAfterMs(wish, now), now));
    }
  }

  /** Inside a job: hands slots to somebody in line who is connected here. */
  serve(entry: LineEntry, now: EpochMs): void {
    const { desk, leases } = this.#parts;
    if (this.#trying.has(entry.key)) {
      this.#trying.set(entry.key, true);
      return;
    }
    const socket = this.find(entry.key);
    const waiting = socket && waitingOf(socket);
    if (!socket || !waiting) {
      desk.line.remove(entry.key);
      return;
    }
    const ask = withNewLease(waiting.ask, now);
    const { leaseId: id, slots, ttlMs, holder, limits, asker } = ask;
    const others = limits.slice(1).map((limit) => limit.id);
    desk.line.overtake({ asker, slots, holder, since: waiting.since });
    desk.line.remove(entry.key);
    desk.slots.take({ id, slots, ttlMs, holder, others, isTentative: others.length > 0 }, now);
    const goOn = () => this.#goOn(socket, ask, () => leases.takeOthers(ask, "connected", waiting.since));
    desk.afterCommit(others.length === 0 ? () => this.#grant(socket, waiting, id) : () => desk.waitUntil(goOn()));
  }

  /** Tries all limits for somebody who waits on a socket here. */
  tryFor(socket: WebSocket): void {
    const waiting = waitingOf(socket);
    if (!waiting || waiting.leaseId !== null) return;
    // Late messages about an attempt that was given up must not meet the next one, so each has an id of its own.
    const ask = withNewLease(waiting.ask, clock.now());
    const attempt = () => this.#parts.leases.attempt(ask, "connected", waiting.since);
    this.#parts.desk.waitUntil(this.#goOn(socket, ask, attempt));
  }

  /** The socket of somebody who waits; null when nobody waits under the key. */
  find(key: string): WebSocket | null {
    const open = this.#parts.ctx.getWebSockets(key).filter((socket) => socket.readyState === WebSocket.OPEN);
    return open.find((socket) => waitingOf(socket)?.leaseId === null) ?? null;
  }

  /** Tells whoever waits to look again, or to go. */
  tell(socket: WebSocket, frame: Exclude<WaitFrame, { type: "granted" }>): void {
    try {
      socket.send(JSON.stringify(frame));
    } catch {
      // It is gone already, which is as well.
    }
  }

  /** Sees an attempt through: slots are handed over, or the waiter stands in line where they were missing. */
  async #goOn(socket: WebSocket, ask: SlotAsk, attempt: () => Promise<SlotAnswer>): Promise<void> {
    const { desk, object } = this.#parts;
    const key = ask.asker.key ?? "";
    const before = waitingOf(socket);
    if (!before) return;
    if (this.#trying.has(key)) {
      this.#trying.set(key, true);
      return;
    }
    this.#trying.set(key, false);
    const homeId = ask.limits[0]?.id ?? "";
    let standsAt: string | null = null;
    try {
      socket.serializeAttachment({ ...before, standsAt } satisfies Waiting);
      const answer = await attempt();
      if (answer.kind === "granted") {
        this.#calledBy.delete(key);
        this.#grant(socket, before, ask.leaseId);
        return;
      }
      standsAt = answer.limitId;
      const left = this.#placesBefore(key, before).filter((id) => id !== standsAt && id !== homeId);
      const isThere = socket.readyState === WebSocket.OPEN;
      if (isThere) socket.serializeAttachment({ ...before, standsAt } satisfies Waiting);
      await Promise.all(left.map((id) => object(id).leave(key)));
      if (!isThere) await (standsAt === homeId ? desk.run(() => desk.line.remove(key)) : object(standsAt).leave(key));
    } catch (error) {
      console.warn(`An attempt to take slots for ${key} failed; whoever waits asks again.`, error);
      this.tell(socket, { type: "changed" });
    } finally {
      const isCalledAgain = this.#trying.get(key);
      this.#trying.delete(key);
      // An attempt that was given up by a question has left the waiter in no line.
      const isNowhere = standsAt === homeId && !desk.line.get(key);
      // It may have come back on another connection meanwhile.
      const connected = this.find(key);
      if (connected && (isCalledAgain || isNowhere)) this.tryFor(connected);
    }
  }

  /** Where somebody may have stood: after a crash, of which its attempt knows nothing, also at limits that called. */
  #placesBefore(key: string, { standsAt }: Waiting): string[] {
    const places = new Set(this.#calledBy.get(key));
    this.#calledBy.delete(key);
    if (standsAt !== null) places.add(standsAt);
    return [...places];
  }

  #grant(socket: WebSocket, waiting: Waiting, leaseId: string): void {
    try {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("The waiter has gone.");
      socket.serializeAttachment({ ...waiting, standsAt: null, leaseId } satisfies Waiting);
      socket.send(JSON.stringify({ type: "granted", lease_id: leaseId } satisfies WaitFrame));
    } catch {
      // Nobody is there to have the slots.
      this.#parts.desk.waitUntil(this.#parts.leases.release(leaseId));
    }
  }
}

function withNewLease(ask: SlotAsk, now: EpochMs): SlotAsk {
  return { ...ask, leaseId: newLeaseId(ask.limits[0]?.id ?? null, now) };
}

function waitingOf(socket: WebSocket): Waiting | null {
  return socket.deserializeAttachment() as Waiting | null;
}
