/**
 * The slots of one limit: what is taken follows from the leases there are, so it cannot drift from them.
 *
 * A limit that decays is a bucket: what is taken fills it, and it runs empty at a steady rate, computed from the time
 * that has passed and never rounded. A lease on such a limit gives back, when it ends, only what of its own slots has
 * not run out by then; the oldest runs out first.
 *
 * Synchronous. Memory mirrors the store and is read anew when a transaction was undone.
 */
import type { LeaseHolder } from "#protocol/concurrency-limits";
import { SPANS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";
import type { LimitSettings, LimitStatus } from "./concurrency-limit-owner.ts";
import type { LeaseRow, LimitState, LimitStore } from "./storage/limit-store.ts";

/** Start value of the average, and its least; upstream's. */
const FIRST_OCCUPANCY_MS = 2_000;
const LEAST_OCCUPANCY_MS = 100;
/** The average looks back over about this many times the limit; upstream's. */
const SAMPLES_PER_SLOT = 2;
/** A lease that ended longer ago than this when the object comes to life could not have been renewed: nobody was there. */
const ABSENCE_MS = 5_000;
/** For so long a rate limit remembers that several limits were taken together. */
const ROW_OF_RATE_MS = 4 * SPANS.tentativeHoldMs;
/** Sums of decay carry errors of this size. */
const EPSILON = 1e-9;

export interface NewLease {
  readonly id: string;
  readonly slots: number;
  readonly ttlMs: number | null;
  readonly holder: LeaseHolder | null;
  readonly others: readonly string[];
  readonly isTentative: boolean;
}

export class LimitSlots {
  readonly #store: LimitStore;
  readonly #rows = new Map<string, LeaseRow>();
  #settings: LimitSettings | null = null;
  #state: LimitState = { unleased: 0, level: 0, levelAt: 0 as EpochMs, averageOccupancyMs: FIRST_OCCUPANCY_MS };
  #leased = 0;
  /** No lease ends before. */
  #firstEndAt = Number.POSITIVE_INFINITY;
  readonly #startedAt: EpochMs;
  #hasLookedForAbsence = false;
  #isAverageStored = true;

  constructor(store: LimitStore, startedAt: EpochMs) {
    this.#store = store;
    this.#startedAt = startedAt;
    this.load();
  }

  /** Reads what is stored. */
  load(): void {
    this.#settings = this.#store.settings();
    this.#state = this.#store.state() ?? this.#state;
    this.#rows.clear();
    this.#leased = 0;
    this.#firstEndAt = Number.POSITIVE_INFINITY;
    for (const row of this.#store.leases()) this.#remember(row);
  }

  get settings(): LimitSettings | null {
    return this.#settings;
  }

  /** Whether there is a lease that was not renewed in time, or one to be asked about. */
  hasEnded(now: EpochMs): boolean {
    return this.#firstEndAt <= now;
  }

  /** Takes settings over, unless they are older than those in use. */
  adopt(settings: LimitSettings, now: EpochMs): void {
    const known = this.#settings;
    if (known !== null && known.version >= settings.version) return;
    const decayed = (known?.slotDecayPerSecond ?? 0) > 0;
    const decays = settings.slotDecayPerSecond > 0;
    // What is taken stays taken when a limit begins or ceases to decay.
    if (decayed && !decays) this.#putState({ unleased: Math.max(0, Math.ceil(this.#level(now)) - this.#leased) });
    if (!decayed && decays) this.#putState({ level: this.#leased + this.#state.unleased, levelAt: now, unleased: 0 });
    if (decayed && decays) this.#putState({ level: this.#level(now), levelAt: now });
    this.#settings = settings;
    this.#store.putSettings(settings);
  }

  /** Slots that nobody has; below 0 after a limit was lowered. A fraction only where they decay. */
  free(now: EpochMs): number {
    if (this.#settings === null) return 0;
    return this.#settings.limit - this.#taken(now) + (this.#decays ? EPSILON : 0);
  }

  /** Whole slots that are taken. */
  active(now: EpochMs): number {
    return Math.max(0, Math.ceil(this.#taken(now) - EPSILON));
  }

  get(leaseId: string): LeaseRow | null {
    return this.#rows.get(leaseId) ?? null;
  }

  all(): IterableIterator<LeaseRow> {
    return this.#rows.values();
  }

  /** Takes slots; whether they are free is the caller's matter. */
  take(lease: NewLease, now: EpochMs): void {
    const levelBefore = this.#decays ? this.#level(now) : 0;
    if (this.#decays) this.#putState({ level: levelBefore + lease.slots, levelAt: now });
    if (isUnleased(lease) && !lease.isTentative) {
      if (!this.#decays) this.#putState({ unleased: this.#state.unleased + lease.slots });
      return;
    }
    this.#put({
      id: lease.id,
      slots: lease.slots,
      state: lease.isTentative ? "tentative" : "held",
      others: lease.others,
      holder: lease.holder,
      acquiredAt: now,
      ttlMs: lease.ttlMs,
      expiresAt: endOf(lease.isTentative ? SPANS.tentativeHoldMs : lease.ttlMs, now),
      levelBefore,
    });
  }

  /** A tentative lease came about: it lasts from now. False when it has been given up. */
  confirm(leaseId: string, now: EpochMs): boolean {
    const row = this.#rows.get(leaseId);
    if (!row || row.state === "releasing") return false;
    if (row.state === "tentative") this.#put(this.#asHeld(row, endOf(row.ttlMs, now), now));
    return true;
  }

  /** Makes a lease last for `ttlMs` from now; null makes one that has a holder last until it is released. */
  renew(row: LeaseRow, ttlMs: number | null, now: EpochMs): void {
    const isFixed = row.ttlMs === null || (ttlMs === null && row.holder === null);
    this.#put(this.#asHeld(isFixed ? row : { ...row, ttlMs }, endOf(ttlMs, now), now));
  }

  /** A tentative lease came about elsewhere, and lasts until `expiresAt`. */
  hold(row: LeaseRow, expiresAt: EpochMs | null, now: EpochMs): void {
    this.#put(this.#asHeld(row, expiresAt, now));
  }

  /** Asks for the outcome of a tentative lease again later. */
  askLater(row: LeaseRow, at: EpochMs): void {
    this.#put({ ...row, expiresAt: at });
  }

  /** Ends a lease: its slots are free. It stays as `releasing` while other limits are to be told. */
  end(row: LeaseRow, now: EpochMs): void {
    if (row.state === "releasing") return;
    if (this.#decays) this.#giveBackUndecayed(row, now);
    else if (row.state === "held") this.#sample((now - row.acquiredAt) / Math.max(1, row.slots));
    if (row.others.length === 0) this.#forget(row);
    else this.#put({ ...row, state: "releasing", expiresAt: (now + SPANS.tentativeHoldMs) as EpochMs });
  }

  /** All other limits of a lease that is over were told. */
  settle(leaseId: string): void {
    const row = this.#rows.get(leaseId);
    if (row?.state === "releasing") this.#forget(row);
  }

  /** Gives back slots that were taken without a lease. */
  giveBack(slots: number, occupiedMs: number | null, now: EpochMs): void {
    if (occupiedMs !== null) this.#sample(occupiedMs / slots);
    if (this.#decays) {
      this.#putState({ level: Math.max(0, this.#level(now) - slots), levelAt: now });
      return;
    }
    const fromCount = Math.min(slots, this.#state.unleased);
    if (fromCount > 0) this.#putState({ unleased: this.#state.unleased - fromCount });
    // What was taken of several limits together is a row in each of them.
    let left = slots - fromCount;
    for (const row of [...this.#rows.values()].filter((one) => isUnleased(one) && one.state !== "releasing")) {
      if (left === 0) break;
      const taken = Math.min(left, row.slots);
      left -= taken;
      if (taken === row.slots) this.#forget(row);
      else this.#put({ ...row, slots: row.slots - taken });
    }
  }

  /** Sets what is taken, as far as leases do not say otherwise. */
  setTaken(slots: number, now: EpochMs): void {
    if (this.#decays) this.#putState({ level: slots, levelAt: now });
    else this.#putState({ unleased: Math.max(0, slots - this.#leased) });
  }

  /** Ends leases that were not renewed in time. */
  expire(now: EpochMs): LeaseRow[] {
    if (now < this.#firstEndAt) return [];
    this.#forgiveAbsence(now);
    const ended = [...this.#rows.values()].filter((row) => row.state === "held" && hasEnded(row, now));
    for (const row of ended) {
      // Slots that were taken of a rate limit for good run out by themselves; the row only told that they were.
      if (isUnleased(row)) this.#forget(row);
      else this.end(row, now);
    }
    this.#firstEndAt = Math.min(...[...this.#rows.values()].map((row) => row.expiresAt ?? Number.POSITIVE_INFINITY));
    return ended;
  }

  /** Leases whose outcome is to be asked for, or whose other limits are to be told (again). */
  unsettled(now: EpochMs): LeaseRow[] {
    return [...this.#rows.values()].filter((row) => row.state !== "held" && hasEnded(row, now));
  }

  /** When something is to be looked at next; null when nothing is. */
  nextEndAt(): EpochMs | null {
    return this.#firstEndAt === Number.POSITIVE_INFINITY ? null : (this.#firstEndAt as EpochMs);
  }

  /** In how many milliseconds `needed` slots more than are free will be, as far as can be known. */
  waitMs(needed: number): number {
    const { limit = 0, slotDecayPerSecond: decay = 0, maxRetryAfterMs = SPANS.slotWaitMs } = this.#settings ?? {};
    const least = Math.max(0, needed);
    if (limit === 0) return maxRetryAfterMs;
    if (decay > 0) return (least / decay) * 1_000;
    return Math.min(maxRetryAfterMs, (least * this.#state.averageOccupancyMs) / limit);
  }

  get averageOccupancyMs(): number {
    return this.#state.averageOccupancyMs;
  }

  holders(): LimitStatus["holders"] {
    return [...this.#rows.values()]
      .filter((row) => row.state !== "releasing")
      .map(({ id, slots, holder, acquiredAt, expiresAt }) => ({ leaseId: id, slots, holder, acquiredAt, expiresAt }))
      .sort((a, b) => a.acquiredAt - b.acquiredAt);
  }

  /** Stores what may wait for an occasion. */
  storeAverage(): void {
    if (!this.#isAverageStored) this.#putState({});
  }

  get #decays(): boolean {
    return (this.#settings?.slotDecayPerSecond ?? 0) > 0;
  }

  #taken(now: EpochMs): number {
    return this.#decays ? this.#level(now) : this.#leased + this.#state.unleased;
  }

  #level(now: EpochMs): number {
    const { level, levelAt } = this.#state;
    const passedMs = Math.max(0, now - levelAt);
    return Math.max(0, level - ((this.#settings?.slotDecayPerSecond ?? 0) * passedMs) / 1_000);
  }

  #giveBackUndecayed(row: LeaseRow, now: EpochMs): void {
    const ranOut = ((this.#settings?.slotDecayPerSecond ?? 0) * (now - row.acquiredAt)) / 1_000 - row.levelBefore;
    const left = row.slots - Math.min(row.slots, Math.max(0, ranOut));
    if (left <= 0) return;
    this.#putState({ level: Math.max(0, this.#level(now) - left), levelAt: now });
    // Those behind it in the bucket run out that much sooner.
    for (const later of this.#rows.values()) {
      if (later.acquiredAt < row.acquiredAt || later.levelBefore <= row.levelBefore || later.state === "releasing")
        continue;
      this.#put({ ...later, levelBefore: Math.max(0, later.levelBefore - left) });
    }
  }

  /** Nobody could renew while there was no control plane: such leases get one more term, once. */
  #forgiveAbsence(now: EpochMs): void {
    if (this.#hasLookedForAbsence) return;
    this.#hasLookedForAbsence = true;
    const missedBefore = (this.#startedAt - ABSENCE_MS) as EpochMs;
    for (const row of [...this.#rows.values()]) {
      if (row.state !== "held" || row.ttlMs === null || !hasEnded(row, missedBefore)) continue;
      this.#put({ ...row, expiresAt: endOf(row.ttlMs, now) });
    }
  }

  #asHeld(row: LeaseRow, expiresAt: EpochMs | null, now: EpochMs): LeaseRow {
    if (!isUnleased(row)) return { ...row, state: "held", expiresAt: row.ttlMs === null ? null : expiresAt };
    // Each limit counts for itself from here on. The row stays while another may ask whether it came about.
    return { ...row, state: "held", others: [], expiresAt: this.#decays ? endOf(ROW_OF_RATE_MS, now) : null };
  }

  #sample(occupiedMs: number): void {
    const weight = Math.max(1, (this.#settings?.limit ?? 1) * SAMPLES_PER_SLOT);
    const sample = Math.max(LEAST_OCCUPANCY_MS, occupiedMs);
    const average = this.#state.averageOccupancyMs;
    this.#state = { ...this.#state, averageOccupancyMs: average + (sample - average) / weight };
    this.#isAverageStored = false;
  }

  #putState(change: Partial<LimitState>): void {
    this.#state = { ...this.#state, ...change };
    this.#store.putState(this.#state);
    this.#isAverageStored = true;
  }

  #put(row: LeaseRow): void {
    const known = this.#rows.get(row.id);
    if (known) this.#leased -= takenBy(known);
    this.#remember(row);
    this.#store.putLease(row);
  }

  #remember(row: LeaseRow): void {
    this.#rows.set(row.id, row);
    this.#leased += takenBy(row);
    if (row.expiresAt !== null) this.#firstEndAt = Math.min(this.#firstEndAt, row.expiresAt);
  }

  #forget(row: LeaseRow): void {
    const known = this.#rows.get(row.id);
    if (known) this.#leased -= takenBy(known);
    this.#rows.delete(row.id);
    this.#store.deleteLease(row.id);
  }
}

function takenBy(row: LeaseRow): number {
  return row.state === "releasing" ? 0 : row.slots;
}

/** Slots that were taken without a lease. */
function isUnleased({ ttlMs, holder }: Pick<LeaseRow, "ttlMs" | "holder">): boolean {
  return ttlMs === null && holder === null;
}

function hasEnded(row: LeaseRow, now: EpochMs): boolean {
  return row.expiresAt !== null && row.expiresAt <= now;
}

function endOf(ttlMs: number | null, now: EpochMs): EpochMs | null {
  return ttlMs === null ? null : ((now + ttlMs) as EpochMs);
}
