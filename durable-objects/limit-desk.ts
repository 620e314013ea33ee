/**
 * What one limit decides by: its slots, its line, and the commit in which both change. A job runs in the next commit;
 * slots that it frees are handed on in the same one, and what others must be told follows after it.
 */

import type { EpochMs } from "#protocol/time";
import { clock } from "./clock.ts";
import { GroupCommit } from "./group-commit.ts";
import { limitObjectName } from "./lease-id.ts";
import { LimitLine, type LineEntry, type Wish } from "./limit-line.ts";
import { LimitSlots, type NewLease } from "./limit-slots.ts";
import { type LeaseRow, LimitStore } from "./storage/limit-store.ts";

const LEAST_RETRY_AFTER_MS = 100;
/** Those who were refused together shall not come back together. */
const JITTER = 0.1;

export type PartAnswer = { readonly kind: "granted" } | { readonly kind: "full"; readonly retryAfterMs: number };

/** Those whom a decision concerns. Called inside the commit; what they tell others goes through `afterCommit`. */
export interface DeskListeners {
  /** Slots are free for somebody who is connected here. */
  serve(entry: LineEntry, now: EpochMs): void;
  /** Slots are free for somebody who waits elsewhere. */
  call(entry: LineEntry, home: string, now: EpochMs): void;
  /** Somebody who waits elsewhere may have gone without a word. */
  askAfter(entry: LineEntry, home: string): void;
  /** A lease is over whose other limits are to be told. */
  over(row: LeaseRow): void;
  /** Memory is read anew: those who are connected line up again. */
  lineUp(): void;
}

export class LimitDesk {
  readonly #ctx: DurableObjectState;
  readonly #listeners: DeskListeners;
  readonly #commit: GroupCommit;
  #store: LimitStore;
  #slots: LimitSlots;
  #line: LimitLine;
  /** What the job that runs at this moment wants done after its commit. */
  #afterCommit: (() => void)[] = [];
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, listeners: DeskListeners) {
    this.#ctx = ctx;
    this.#listeners = listeners;
    this.#store = new LimitStore(ctx.storage);
    this.#slots = new LimitSlots(this.#store, clock.now());
    this.#line = new LimitLine(this.#store);
    this.#commit = new GroupCommit(
      ctx.storage,
      () => {},
      () => this.load(),
    );
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  get slots(): LimitSlots {
    return this.#slots;
  }

  get line(): LimitLine {
    return this.#line;
  }

  /** Reads what is stored. */
  load(): void {
    this.#slots.load();
    this.#line.load();
    this.#listeners.lineUp();
  }

  /** Whether this limit decides about the lease as a whole. */
  isHomeOf(leaseId: string): boolean {
    return limitObjectName(leaseId) === this.#ctx.id.name;
  }

  /** Runs a synchronous job in the next commit; slots that it frees are handed on in the same one. */
  async run<T>(job: (now: EpochMs) => T): Promise<T> {
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

  /** Ends what time has ended. Nothing is run, and nothing stored, where nothing has. */
  async catchUp(): Promise<void> {
    const now = clock.now();
    if (this.#slots.hasEnded(now) || this.#line.hasLapsed(now)) await this.run((at) => void this.#slots.expire(at));
  }

  /** Inside a job: does this once what the job stored is certain. */
  afterCommit(act: () => void): void {
    this.#afterCommit.push(act);
  }

  /** Keeps the object until this is done. */
  waitUntil(work: Promise<unknown>): void {
    this.#ctx.waitUntil(work);
  }

  /** Tries to take slots here for somebody in or at the end of the line. */
  take(lease: NewLease, wish: Wish, isConnected: boolean, now: EpochMs): PartAnswer {
    this.#slots.expire(now);
    this.#line.lapse(now);
    const settings = this.#slots.settings;
    if (settings === null) throw new Error("A limit is asked together with its settings.");
    const known = this.#slots.get(lease.id);
    if (known && known.state !== "releasing") return { kind: "granted" };
    const free = this.#slots.free(now);
    const kept = this.#line.keptBefore(wish, isConnected, free, settings.limit, now);
    if (settings.active && free - kept < wish.slots) {
      return { kind: "full", retryAfterMs: this.retryAfterMs(wish, now) };
    }
    this.#line.overtake(wish);
    const place = this.#line.placeOf(wish);
    if (place) this.#line.remove(place.key);
    // A limit that is not active limits nothing, but the lease has to be known at its home.
    this.#slots.take(settings.active ? lease : { ...lease, slots: 0 }, now);
    return { kind: "granted" };
  }

  retryAfterMs(wish: Wish, now: EpochMs): number {
    const needed = this.#line.wantedBefore(wish) + wish.slots - this.#slots.free(now);
    return Math.max(LEAST_RETRY_AFTER_MS, this.#slots.waitMs(needed) * (1 + Math.random() * JITTER));
  }

  /** Ends a lease here; the other limits, if this is its home, are told after the commit. */
  end(row: LeaseRow, now: EpochMs): void {
    this.#slots.end(row, now);
    const over = this.#slots.get(row.id);
    if (over) this.afterCommit(() => this.#listeners.over(over));
  }

  /** The alarm has gone off. */
  woken(): void {
    this.#alarmAt = null;
  }

  /** Deletes everything that is stored. Answers who was still in line: some may have come meanwhile. */
  async clear(): Promise<LineEntry[]> {
    this.#alarmAt = null;
    await this.#ctx.storage.deleteAlarm();
    await this.#ctx.storage.deleteAll();
    const late = [...this.#line.all()];
    this.#store = new LimitStore(this.#ctx.storage);
    this.#slots = new LimitSlots(this.#store, clock.now());
    this.#line = new LimitLine(this.#store);
    return late;
  }

  /** Hands free slots to those in line. Last in every job. */
  #pump(now: EpochMs): void {
    if (this.#line.isEmpty) return;
    this.#slots.expire(now);
    this.#line.lapse(now);
    for (const entry of this.#line.toAskAfter(now)) {
      if (entry.place.kind === "elsewhere") this.#listeners.askAfter(entry, entry.place.home);
    }
    const settings = this.#slots.settings;
    if (settings === null) return;
    for (const entry of this.#line.next(this.#slots.free(now), settings.limit)) {
      if (entry.place.kind === "connected") this.#listeners.serve(entry, now);
      else if (entry.place.kind === "elsewhere") this.#listeners.call(entry, entry.place.home, now);
    }
  }

  /** Makes sure that an alarm comes no later than the next thing to look at. */
  #arm(): void {
    const now = clock.now();
    const times = [this.#slots.nextEndAt(), this.#line.nextLapseAt(), this.#nextDecayAt(now)];
    const next = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (next === Number.POSITIVE_INFINITY || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    void this.#ctx.storage.setAlarm(Math.ceil(next));
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
