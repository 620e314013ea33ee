/**
 * The object of one concurrency limit: the leases on its slots, and the line of those who wait for them.
 *
 * A lease on several limits is taken in two phases, in the order of the limits' ids. Nobody waits while holding, so
 * nothing can lock up: the first limit that is full ends the attempt. What is held meanwhile is tentative. The lease comes about
 * by one row of its home, the first limit: a limit that holds slots and never heard of the outcome asks there, and what
 * is undecided is given up by the question. So a lease is whole or gone, whoever dies when.
 */
import { DurableObject } from "cloudflare:workers";
import type { LeaseHolder } from "#protocol/concurrency-limits";
import type { EpochMs } from "#protocol/time";
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
  WAIT_CLOSE,
  type WaitFrame,
} from "./concurrency-limit-owner.ts";
import { GroupCommit } from "./group-commit.ts";
import { limitObjectName, newLeaseId } from "./lease-id.ts";
import { LimitLine, type LineEntry, type Wish } from "./limit-line.ts";
import { LimitSlots } from "./limit-slots.ts";
import { type LeaseRow, LimitStore } from "./storage/limit-store.ts";

/** Telling another limit that a lease is over is tried again after this. */
const RETRY_MS = 2_000;
/** An attempt that was given up while it was made is made again soon. */
const AGAIN_MS = 100;
const LEAST_RETRY_AFTER_MS = 100;
/** Those who were refused together shall not come back together. */
const JITTER = 0.1;

/** What a waiting socket remembers while this object sleeps. */
interface Waiting {
  readonly ask: SlotAsk;
  readonly since: EpochMs;
  /** Id of the limit in whose line it stands; null while an attempt is under way, or once it has the slots. */
  readonly standsAt: string | null;
  /** Id of the lease that was handed over; null before. */
  readonly leaseId: string | null;
}

type PartAnswer = { readonly kind: "granted" } | { readonly kind: "full"; readonly retryAfterMs: number };

export class ConcurrencyLimitObject extends DurableObject<Env> implements ConcurrencyLimitOwner {
  readonly #commit: GroupCommit;
  /** Keys of waiters for whom an attempt is under way, with whether they are called again meanwhile. */
  readonly #trying = new Map<string, boolean>();
  #store: LimitStore;
  #slots: LimitSlots;
  #line: LimitLine;
  /** What the job that runs at this moment wants done after its commit. */
  #afterCommit: (() => void)[] = [];
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new LimitStore(ctx.storage);
    this.#slots = new LimitSlots(this.#store, clock.now());
    this.#line = new LimitLine(this.#store);
    this.#commit = new GroupCommit(
      ctx.storage,
      () => {},
      () => this.#load(),
    );
    this.#load();
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
    // An attempt of an earlier life came to nothing, and who waits for it stands nowhere.
    for (const socket of ctx.getWebSockets()) {
      const waiting = waitingOf(socket);
      if (waiting && waiting.leaseId === null && waiting.standsAt === null) setTimeout(() => this.#tryFor(socket), 0);
    }
  }

  acquire(ask: SlotAsk, keepsPlace: boolean): Promise<SlotAnswer> {
    return this.#attempt(ask, keepsPlace ? "polling" : "not", clock.now());
  }

  async hold({ settings, asker, waits, ...part }: PartAsk): Promise<PartAnswer> {
    return this.#run((now) => {
      this.#slots.adopt(settings, now);
      const wish: Wish = { asker, slots: part.slots, holder: part.holder, since: waits.since };
      const lease = { id: part.leaseId, ...part, others: [], isTentative: true };
      const answer = this.#take(lease, wish, waits.kind === "connected", now);
      if (answer.kind === "granted" || waits.kind === "not") return answer;
      if (waits.kind === "polling")
        return { kind: "full", retryAfterMs: this.#line.putPolling(wish, answer.retryAfterMs, now) };
      if (asker.key !== null) this.#line.putElsewhere(asker.key, wish, limitObjectName(part.leaseId));
      return answer;
    });
  }

  async confirm(leaseId: string): Promise<void> {
    await this.#run((now) => this.#slots.confirm(leaseId, now));
  }

  async outcome(leaseId: string): Promise<LeaseOutcome> {
    return this.#run((now) => {
      this.#slots.expire(now);
      const row = this.#slots.get(leaseId);
      if (row?.state === "held") return { kind: "held", expiresAt: row.expiresAt };
      if (row?.state === "tentative") this.#end(row, now);
      return { kind: "none" };
    });
  }

  async renew(leaseId: string, ttlMs: number): Promise<boolean> {
    const isHome = limitObjectName(leaseId) === this.ctx.id.name;
    const others = this.#slots.get(leaseId)?.others ?? [];
    if (isHome && others.length > 0) {
      const answers = await Promise.all(others.map((id) => this.#object(id).renew(leaseId, ttlMs)));
      if (answers.includes(false)) {
        await this.release(leaseId);
        return false;
      }
    }
    return this.#run((now) => {
      this.#slots.expire(now);
      const row = this.#slots.get(leaseId);
      // Elsewhere than at home a renewal is as good as a confirmation; at home an attempt may still be given up.
      if (!row || row.state === "releasing" || (isHome && row.state === "tentative")) return false;
      this.#slots.renew(row, ttlMs, now);
      return true;
    });
  }

  async release(leaseId: string): Promise<void> {
    if (this.#slots.get(leaseId) === null) return;
    await this.#run((now) => {
      const row = this.#slots.get(leaseId);
      if (row) this.#end(row, now);
    });
  }

  async releaseHolder(holderId: string): Promise<void> {
    const ids = [...this.#slots.all()].filter((row) => row.holder?.id === holderId).map((row) => row.id);
    await Promise.all(ids.map((id) => this.#releaseWhole(id)));
  }

  async giveBack(slots: number, occupiedMs: number | null): Promise<void> {
    await this.#run((now) => this.#slots.giveBack(slots, occupiedMs, now));
  }

  async invited(key: string): Promise<boolean> {
    const socket = this.#waitingSocket(key);
    if (!socket) return false;
    this.#tryFor(socket);
    return true;
  }

  async changed(key: string): Promise<void> {
    const socket = this.#waitingSocket(key);
    if (socket) this.#dismiss(socket);
  }

  async leave(key: string): Promise<void> {
    if (this.#line.get(key)) await this.#run(() => this.#line.remove(key));
  }

  async configure(settings: LimitSettings, takenSlots: number | null): Promise<boolean> {
    const known = this.#slots.settings;
    if (known !== null && known.id !== settings.id) return false;
    await this.#run((now) => {
      this.#slots.adopt(settings, now);
      if (takenSlots !== null) this.#slots.setTaken(takenSlots, now);
    });
    if (!settings.active) await this.#dismissAll();
    return true;
  }

  async reset(holders: readonly LeaseHolder[]): Promise<void> {
    await Promise.all([...this.#slots.all()].map((row) => this.#releaseWhole(row.id)));
    await this.#run((now) => {
      this.#slots.setTaken(0, now);
      for (const holder of holders) {
        const id = `${crypto.randomUUID().slice(0, 24)}${this.ctx.id.name}`;
        this.#slots.take({ id, slots: 1, ttlMs: null, holder, others: [], isTentative: false }, now);
      }
    });
  }

  async remove(): Promise<void> {
    await Promise.allSettled([...this.#slots.all()].map((row) => this.#releaseWhole(row.id)));
    await this.#dismissAll();
    this.#alarmAt = null;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#store = new LimitStore(this.ctx.storage);
    this.#slots = new LimitSlots(this.#store, clock.now());
    this.#line = new LimitLine(this.#store);
  }

  async activeSlots(): Promise<number> {
    const now = clock.now();
    const lapsed = [...this.#slots.all()].filter((row) => row.expiresAt !== null && row.expiresAt <= now);
    if (lapsed.length > 0) await this.#run(() => this.#slots.expire(now));
    return this.#slots.active(now);
  }

  async status(): Promise<LimitStatus> {
    const now = clock.now();
    // An object that was never used stays empty.
    if (!this.#slots.isEmpty) await this.#run(() => this.#slots.expire(now));
    const waiters = this.#line.all();
    return {
      activeSlots: this.#slots.active(now),
      wantedSlots: waiters.reduce((sum, { slots }) => sum + slots, 0),
      averageOccupancyMs: this.#slots.averageOccupancyMs,
      holders: this.#slots.holders(),
      waiters: waiters.map(({ slots, holder, priority, since, place }) => ({
        slots,
        holder,
        priority,
        since,
        connected: place.kind !== "polling",
      })),
    };
  }

  /** Waits in line, without a break: a WebSocket with the question in a header. */
  override async fetch(request: Request): Promise<Response> {
    const header = request.headers.get(ASK_HEADER);
    if (header === null || request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("Slots are waited for by a WebSocket upgrade.", { status: 426 });
    }
    const ask = JSON.parse(decodeURIComponent(header)) as SlotAsk;
    const key = ask.asker.key ?? ask.leaseId;
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [key]);
    const since = this.#line.get(key)?.since ?? clock.now();
    const waiting: Waiting = { ask: { ...ask, asker: { ...ask.asker, key } }, since, standsAt: null, leaseId: null };
    server.serializeAttachment(waiting);
    this.#tryFor(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    socket.close();
    const waiting = waitingOf(socket);
    const key = waiting?.ask.asker.key;
    if (!waiting || !key) return;
    if (waiting.leaseId !== null) {
      if (code !== WAIT_CLOSE.taken) await this.release(waiting.leaseId);
      return;
    }
    const [home] = waiting.ask.limits;
    if (home && waiting.standsAt !== null && waiting.standsAt !== home.id) {
      await this.#object(waiting.standsAt).leave(key);
    } else if (code !== WAIT_CLOSE.comesBack) {
      await this.#run(() => this.#line.remove(key));
    } else {
      const { slots, holder, asker } = waiting.ask;
      const wish: Wish = { asker, slots, holder, since: waiting.since };
      await this.#run((now) => this.#line.putPolling(wish, this.#retryAfterMs(wish, now), now));
    }
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1006);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const unsettled = await this.#run((now) => {
      const due = this.#slots.unsettled(now);
      this.#slots.expire(now);
      this.#slots.storeAverage();
      return due;
    });
    await Promise.all(unsettled.map((row) => this.#settle(row)));
  }

  /** Asks what became of a tentative lease, or tells others of one that is over (again). */
  async #settle(row: LeaseRow): Promise<void> {
    if (row.state === "releasing") return this.#tellOthers(row);
    const isHome = limitObjectName(row.id) === this.ctx.id.name;
    let outcome: LeaseOutcome = { kind: "none" };
    try {
      if (!isHome) outcome = await this.#object(row.id).outcome(row.id);
    } catch (error) {
      // Freed without an answer, the slots could be given to two.
      console.warn(`The home of lease ${row.id} did not answer; it is asked again.`, error);
      await this.#run((now) => this.#slots.askLater(row, (now + RETRY_MS) as EpochMs));
      return;
    }
    await this.#run((now) => {
      const current = this.#slots.get(row.id);
      if (current?.state !== "tentative") return;
      if (outcome.kind === "none") this.#end(current, now);
      else this.#slots.hold(current, outcome.expiresAt, now);
    });
  }

  /** Takes slots of every limit of the ask, or of none. */
  async #attempt(ask: SlotAsk, waits: "polling" | "connected" | "not", since: EpochMs): Promise<SlotAnswer> {
    const [home, ...others] = ask.limits;
    if (!home) return { kind: "granted" };
    const { leaseId: id, slots, ttlMs, holder, asker } = ask;
    const here = await this.#run<PartAnswer>((now) => {
      this.#slots.adopt(home, now);
      const wish: Wish = { asker, slots, holder, since };
      const lease = {
        id,
        slots,
        ttlMs,
        holder,
        others: others.map((limit) => limit.id),
        isTentative: others.length > 0,
      };
      const answer = this.#take(lease, wish, waits === "connected", now);
      if (answer.kind === "granted" || waits === "not") return answer;
      if (waits === "polling")
        return { kind: "full", retryAfterMs: this.#line.putPolling(wish, answer.retryAfterMs, now) };
      if (asker.key !== null) this.#line.putConnected(asker.key, wish);
      return answer;
    });
    if (here.kind === "full") return { ...here, limitId: home.id };
    return others.length === 0 ? here : this.#takeOthers(ask, waits, since);
  }

  /** The second half of an attempt: the slots here are held. */
  async #takeOthers(ask: SlotAsk, waits: "polling" | "connected" | "not", since: EpochMs): Promise<SlotAnswer> {
    const { leaseId, limits, asker, slots, ttlMs, holder } = ask;
    const others = limits.slice(1);
    try {
      for (const settings of others) {
        const part: PartAsk = { leaseId, settings, slots, ttlMs, holder, asker, waits: { kind: waits, since } };
        const answer = await this.#object(settings.id).hold(part);
        if (answer.kind === "granted") continue;
        await this.release(leaseId);
        return { ...answer, limitId: settings.id };
      }
    } catch (error) {
      await this.release(leaseId);
      throw error;
    }
    const cameAbout = await this.#run((now) => this.#slots.confirm(leaseId, now));
    if (!cameAbout) {
      // Another limit waited so long that it asked, which gave the attempt up. It told the others, or will.
      await Promise.allSettled(others.map(({ id }) => this.#object(id).release(leaseId)));
      return { kind: "full", limitId: limits[0]?.id ?? "", retryAfterMs: AGAIN_MS };
    }
    // One that does not hear of it asks.
    this.ctx.waitUntil(Promise.allSettled(others.map(({ id }) => this.#object(id).confirm(leaseId))));
    return { kind: "granted" };
  }

  /** Tries to take slots here for somebody in or at the end of the line. */
  #take(lease: Parameters<LimitSlots["take"]>[0], wish: Wish, isConnected: boolean, now: EpochMs): PartAnswer {
    this.#slots.expire(now);
    this.#line.lapse(now);
    const settings = this.#slots.settings;
    if (settings === null) throw new Error("A limit is asked together with its settings.");
    const known = this.#slots.get(lease.id);
    if (known && known.state !== "releasing") return { kind: "granted" };
    const free = this.#slots.free(now);
    const kept = this.#line.keptBefore(wish, isConnected, free, settings.limit, now);
    if (settings.active && free - kept < wish.slots)
      return { kind: "full", retryAfterMs: this.#retryAfterMs(wish, now) };
    this.#line.overtake(wish);
    const place = this.#line.placeOf(wish);
    if (place) this.#line.remove(place.key);
    // A limit that is not active limits nothing, but the lease has to be known at its home.
    this.#slots.take(settings.active ? lease : { ...lease, slots: 0 }, now);
    return { kind: "granted" };
  }

  #retryAfterMs(wish: Wish, now: EpochMs): number {
    const needed = this.#line.wantedBefore(wish) + wish.slots - this.#slots.free(now);
    return Math.max(LEAST_RETRY_AFTER_MS, this.#slots.waitMs(needed) * (1 + Math.random() * JITTER));
  }

  /** Ends a lease here; the other limits, if this is its home, are told after the commit. */
  #end(row: LeaseRow, now: EpochMs): void {
    this.#slots.end(row, now);
    const over = this.#slots.get(row.id);
    if (over) this.#afterCommit.push(() => this.ctx.waitUntil(this.#tellOthers(over)));
  }

  async #tellOthers(row: LeaseRow): Promise<void> {
    const told = await Promise.allSettled(row.others.map((id) => this.#object(id).release(row.id)));
    await this.#run((now) => {
      if (told.every(({ status }) => status === "fulfilled")) this.#slots.settle(row.id);
      else if (this.#slots.get(row.id)?.state === "releasing") this.#slots.askLater(row, (now + RETRY_MS) as EpochMs);
    });
  }

  /** Ends a lease by its home, or here if that does not answer: it asks, or finds out at the next renewal. */
  async #releaseWhole(leaseId: string): Promise<void> {
    if (limitObjectName(leaseId) !== this.ctx.id.name) {
      await this.#object(leaseId)
        .release(leaseId)
        .catch((error: unknown) => console.warn(`The home of lease ${leaseId} was not told of its end.`, error));
    }
    await this.release(leaseId);
  }

  /** Hands free slots to those in line. Last in every job. */
  #pump(now: EpochMs): void {
    if (this.#line.isEmpty) return;
    this.#slots.expire(now);
    this.#line.lapse(now);
    const settings = this.#slots.settings;
    if (settings === null) return;
    for (const entry of this.#line.next(this.#slots.free(now), settings.limit)) {
      if (entry.place.kind === "connected") this.#serve(entry, now);
      else if (entry.place.kind === "elsewhere") this.#call(entry, entry.place.home, now);
    }
  }

  #serve(entry: LineEntry, now: EpochMs): void {
    if (this.#trying.has(entry.key)) {
      this.#trying.set(entry.key, true);
      return;
    }
    const socket = this.#waitingSocket(entry.key);
    const waiting = socket && waitingOf(socket);
    if (!socket || !waiting) {
      this.#line.remove(entry.key);
      return;
    }
    const ask = withNewLease(waiting.ask, now);
    const { leaseId: id, slots, ttlMs, holder, limits, asker } = ask;
    const others = limits.slice(1).map((limit) => limit.id);
    this.#line.overtake({ asker, slots, holder, since: waiting.since });
    this.#line.remove(entry.key);
    this.#slots.take({ id, slots, ttlMs, holder, others, isTentative: others.length > 0 }, now);
    const goOn = () => this.#goOn(socket, ask, () => this.#takeOthers(ask, "connected", waiting.since));
    this.#afterCommit.push(
      others.length === 0 ? () => this.#grant(socket, waiting, id) : () => this.ctx.waitUntil(goOn()),
    );
  }

  #call(entry: LineEntry, home: string, now: EpochMs): void {
    this.#line.call(entry, now);
    this.#afterCommit.push(() => {
      const told = this.#object(home)
        .invited(entry.key)
        .then((waits) => (waits ? undefined : this.leave(entry.key)));
      // It is called again when its time is over.
      this.ctx.waitUntil(
        told.catch((error: unknown) => console.warn(`A waiter at ${home} could not be called.`, error)),
      );
    });
  }

  /** Tries all limits for somebody who waits on a socket here. */
  #tryFor(socket: WebSocket): void {
    const waiting = waitingOf(socket);
    if (!waiting || waiting.leaseId !== null) return;
    // Late messages about an attempt that was given up must not meet the next one, so each has an id of its own.
    const ask = withNewLease(waiting.ask, clock.now());
    this.ctx.waitUntil(this.#goOn(socket, ask, () => this.#attempt(ask, "connected", waiting.since)));
  }

  /** Sees an attempt through: slots are handed over, or the waiter stands in line where they were missing. */
  async #goOn(socket: WebSocket, ask: SlotAsk, attempt: () => Promise<SlotAnswer>): Promise<void> {
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
        this.#grant(socket, before, ask.leaseId);
        return;
      }
      standsAt = answer.limitId;
      const left = before.standsAt !== standsAt && before.standsAt !== homeId ? before.standsAt : null;
      const isThere = socket.readyState === WebSocket.OPEN;
      if (isThere) socket.serializeAttachment({ ...before, standsAt } satisfies Waiting);
      if (left !== null) await this.#object(left).leave(key);
      if (!isThere)
        await (standsAt === homeId ? this.#run(() => this.#line.remove(key)) : this.#object(standsAt).leave(key));
    } catch (error) {
      console.warn(`An attempt to take slots for ${key} failed; whoever waits asks again.`, error);
      this.#dismiss(socket);
    } finally {
      const isCalledAgain = this.#trying.get(key);
      this.#trying.delete(key);
      // An attempt that was given up by a question has left the waiter in no line.
      const isNowhere = standsAt === homeId && !this.#line.get(key) && socket.readyState === WebSocket.OPEN;
      if (isCalledAgain || isNowhere) this.#tryFor(socket);
    }
  }

  #grant(socket: WebSocket, waiting: Waiting, leaseId: string): void {
    try {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("The waiter has gone.");
      socket.serializeAttachment({ ...waiting, standsAt: null, leaseId } satisfies Waiting);
      socket.send(JSON.stringify({ type: "granted", lease_id: leaseId } satisfies WaitFrame));
    } catch {
      // Nobody is there to have the slots.
      this.ctx.waitUntil(this.release(leaseId));
    }
  }

  #dismiss(socket: WebSocket): void {
    try {
      socket.send(JSON.stringify({ type: "changed" } satisfies WaitFrame));
    } catch {
      // It is gone already, which is as well.
    }
  }

  /** Everybody in line has to look again. */
  async #dismissAll(): Promise<void> {
    const entries = [...this.#line.all()];
    await this.#run(() => {
      for (const { key } of entries) this.#line.remove(key);
    });
    const told = entries.map(async ({ key, place }) => {
      if (place.kind === "elsewhere") return this.#object(place.home).changed(key);
      const socket = this.#waitingSocket(key);
      if (socket) this.#dismiss(socket);
    });
    await Promise.allSettled(told);
  }

  #waitingSocket(key: string): WebSocket | null {
    const open = this.ctx.getWebSockets(key).filter((socket) => socket.readyState === WebSocket.OPEN);
    return open.find((socket) => waitingOf(socket)?.leaseId === null) ?? null;
  }

  #object(id: string): ConcurrencyLimitOwner {
    return limitOwner(this.env.CONCURRENCY_LIMITS, id);
  }

  #load(): void {
    this.#slots.load();
    this.#line.load();
    for (const socket of this.ctx.getWebSockets()) {
      const waiting = waitingOf(socket);
      if (!waiting || waiting.leaseId !== null || waiting.standsAt !== waiting.ask.limits[0]?.id) continue;
      const { asker, slots, holder } = waiting.ask;
      if (asker.key !== null) this.#line.putConnected(asker.key, { asker, slots, holder, since: waiting.since });
    }
  }

  /** Runs a synchronous job in the next commit; slots that it frees are handed on in the same one. */
  async #run<T>(job: (now: EpochMs) => T): Promise<T> {
    this.#store.open();
    const actions: (() => void)[] = [];
    const value = await this.#commit.run(() => {
      const now = clock.now();
      this.#afterCommit = actions;
      const result = job(now);
      this.#pump(now);
      return result;
    });
    for (const act of actions) act();
    this.#arm();
    return value;
  }

  /** Makes sure that an alarm comes no later than the next thing to look at. */
  #arm(): void {
    const now = clock.now();
    const times = [this.#slots.nextEndAt(), this.#line.nextLapseAt(), this.#nextDecayAt(now)];
    const next = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (next === Number.POSITIVE_INFINITY || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    void this.ctx.storage.setAlarm(Math.ceil(next));
  }

  /** When enough has decayed for the first who would get it at once. */
  #nextDecayAt(now: EpochMs): EpochMs | null {
    const settings = this.#slots.settings;
    if (settings === null || settings.slotDecayPerSecond === 0) return null;
    const first = this.#line.firstConnected(settings.limit);
    const missing = first === null ? 0 : first.slots - this.#slots.free(now);
    return missing > 0 ? ((now + Math.max(1, this.#slots.waitMs(missing))) as EpochMs) : null;
  }
}

/** The object of a limit, or of a lease's home, by the id of either. */
export function limitOwner(namespace: Env["CONCURRENCY_LIMITS"], id: string): ConcurrencyLimitOwner {
  return namespace.getByName(limitObjectName(id)) as unknown as ConcurrencyLimitOwner;
}

function withNewLease(ask: SlotAsk, now: EpochMs): SlotAsk {
  return { ...ask, leaseId: newLeaseId(ask.limits[0]?.id ?? null, now) };
}

function waitingOf(socket: WebSocket): Waiting | null {
  return socket.deserializeAttachment() as Waiting | null;
}
