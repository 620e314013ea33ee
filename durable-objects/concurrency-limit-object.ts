/**
 * The object of one concurrency limit: the leases on its slots, and the line of those who wait for them. What it decides
 * by is in limit-desk.ts; leases on several limits in limit-leases.ts; those who wait in limit-waiters.ts and
 * limit-callers.ts.
 */
import { DurableObject } from "cloudflare:workers";
import type { LeaseHolder } from "#protocol/concurrency-limits";
import { clock } from "./clock.ts";
import {
  ASK_HEADER,
  type ConcurrencyLimitOwner,
  type LeaseOutcome,
  type LimitSettings,
  type LimitStatus,
  type PartAsk,
  type SlotAnswer,
  type SlotAsk,
} from "./concurrency-limit-owner.ts";
import { LimitCallers, runCalledAt } from "./limit-callers.ts";
import { LimitDesk, type PartAnswer } from "./limit-desk.ts";
import { LimitLeases } from "./limit-leases.ts";
import type { LineEntry } from "./limit-line.ts";
import { limitOwner } from "./limit-owner.ts";
import { LimitWaiters } from "./limit-waiters.ts";
import { ownerOf } from "./partition.ts";

export class ConcurrencyLimitObject extends DurableObject<Env> implements ConcurrencyLimitOwner {
  readonly #desk: LimitDesk;
  readonly #leases: LimitLeases;
  readonly #waiters: LimitWaiters;
  readonly #callers: LimitCallers;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const object = (id: string) => limitOwner(env.CONCURRENCY_LIMITS, id);
    this.#desk = new LimitDesk(ctx, {
      serve: (entry, now) => this.#waiters.serve(entry, now),
      call: (entry, home, now) => this.#callers.call(entry, home, now),
      askAfter: (entry, home) => this.#callers.askAfter(entry, home),
      over: (row) => ctx.waitUntil(this.#leases.tellOthers(row)),
      lineUp: () => this.#waiters.lineUp(),
    });
    this.#leases = new LimitLeases(this.#desk, object);
    this.#waiters = new LimitWaiters({ ctx, desk: this.#desk, leases: this.#leases, object });
    this.#callers = new LimitCallers(this.#desk, object, env.FLOW_RUNS);
    this.#desk.load();
    this.#waiters.takeUpAgain();
    // Those who asked in the same millisecond may stand the other way round now, so that the first one fits.
    if (!this.#desk.line.isEmpty) setTimeout(() => void this.#desk.run(() => {}), 0);
  }

  acquire(ask: SlotAsk, keepsPlace: boolean): Promise<SlotAnswer> {
    const waits = ask.calls ? "connected" : keepsPlace ? "polling" : "not";
    return this.#leases.attempt(ask, waits, ask.since ?? clock.now());
  }

  hold(part: PartAsk): Promise<PartAnswer> {
    return this.#leases.hold(part);
  }

  async confirm(leaseId: string): Promise<void> {
    await this.#desk.run((now) => this.#desk.slots.confirm(leaseId, now));
  }

  outcome(leaseId: string): Promise<LeaseOutcome> {
    return this.#leases.outcome(leaseId);
  }

  renew(leaseId: string, ttlMs: number | null): Promise<boolean> {
    return this.#leases.renew(leaseId, ttlMs);
  }

  release(leaseId: string): Promise<void> {
    return this.#leases.release(leaseId);
  }

  async releaseHolder(holderId: string): Promise<void> {
    const ids = [...this.#desk.slots.all()].filter((row) => row.holder?.id === holderId).map((row) => row.id);
    await Promise.all(ids.map((id) => this.#leases.releaseWhole(id)));
  }

  async giveBack(slots: number, occupiedMs: number | null): Promise<void> {
    await this.#desk.run((now) => this.#desk.slots.giveBack(slots, occupiedMs, now));
  }

  async invited(key: string, from: string): Promise<boolean> {
    return this.#waiters.invited(key, from);
  }

  async changed(key: string): Promise<void> {
    const socket = this.#waiters.find(key);
    if (socket) this.#waiters.tell(socket, { type: "changed" });
  }

  async leave(key: string): Promise<void> {
    const { line } = this.#desk;
    if (line.get(key)) await this.#desk.run(() => line.remove(key));
  }

  async abandon(key: string): Promise<void> {
    const socket = this.#waiters.find(key);
    // Its connection is closed from the other end then, and the place goes with it.
    if (socket) this.#waiters.tell(socket, { type: "left" });
    else await this.leave(key);
  }

  async configure(settings: LimitSettings, takenSlots: number | null): Promise<boolean> {
    const known = this.#desk.slots.settings;
    if (known !== null && known.id !== settings.id) return false;
    await this.#desk.run((now) => {
      this.#desk.slots.adopt(settings, now);
      if (takenSlots !== null) this.#desk.slots.setTaken(takenSlots, now);
    });
    if (!settings.active) await this.#dismissAll();
    return true;
  }

  async reset(holders: readonly LeaseHolder[]): Promise<void> {
    await Promise.all([...this.#desk.slots.all()].map((row) => this.#leases.releaseWhole(row.id)));
    await this.#desk.run((now) => {
      const { slots } = this.#desk;
      slots.setTaken(0, now);
      for (const holder of holders) {
        const id = `${crypto.randomUUID().slice(0, 24)}${this.ctx.id.name}`;
        slots.take({ id, slots: 1, ttlMs: null, holder, others: [], isTentative: false }, now);
      }
    });
  }

  lookAgain(): Promise<void> {
    return this.#dismissAll();
  }

  async remove(): Promise<void> {
    await Promise.allSettled([...this.#desk.slots.all()].map((row) => this.#leases.releaseWhole(row.id)));
    await this.#dismissAll();
    await this.#dismiss(await this.#desk.clear());
  }

  async activeSlots(): Promise<number> {
    await this.#desk.catchUp();
    return this.#desk.slots.active(clock.now());
  }

  async status(): Promise<LimitStatus> {
    await this.#desk.catchUp();
    const { slots, line } = this.#desk;
    const waiters = line.all();
    return {
      activeSlots: slots.active(clock.now()),
      wantedSlots: waiters.reduce((sum, entry) => sum + entry.slots, 0),
      averageOccupancyMs: slots.averageOccupancyMs,
      holders: slots.holders(),
      waiters: waiters.map((entry) => ({
        slots: entry.slots,
        holder: entry.holder,
        priority: entry.priority,
        since: entry.since,
        connected: entry.place.kind !== "polling",
      })),
    };
  }

  /** Waits in line, without a break: a WebSocket with the question in a header. */
  override async fetch(request: Request): Promise<Response> {
    const header = request.headers.get(ASK_HEADER);
    if (header === null || request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("Slots are waited for by a WebSocket upgrade.", { status: 426 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#waiters.accept(JSON.parse(decodeURIComponent(header)) as SlotAsk, server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    socket.close();
    await this.#waiters.left(socket, code);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#desk.woken();
    const unsettled = await this.#desk.run((now) => {
      const { slots } = this.#desk;
      const due = slots.unsettled(now);
      slots.expire(now);
      slots.storeAverage();
      return due;
    });
    await Promise.all(unsettled.map((row) => this.#leases.settle(row)));
  }

  /** Everybody in line has to look again. */
  async #dismissAll(): Promise<void> {
    const entries = [...this.#desk.line.all()];
    await this.#desk.run(() => {
      for (const { key } of entries) this.#desk.line.remove(key);
    });
    await this.#dismiss(entries);
  }

  /** Those who stood in line have to look again. */
  async #dismiss(entries: readonly LineEntry[]): Promise<void> {
    const told = entries.map(async ({ key, place }) => {
      const run = place.kind === "elsewhere" ? runCalledAt(place.home) : null;
      if (run !== null) return ownerOf(this.env.FLOW_RUNS, run)?.slotFree(run);
      if (place.kind === "elsewhere") return limitOwner(this.env.CONCURRENCY_LIMITS, place.home).changed(key);
      const socket = this.#waiters.find(key);
      if (socket) this.#waiters.tell(socket, { type: "changed" });
    });
    await Promise.allSettled(told);
  }
}
