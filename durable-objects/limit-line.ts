/**
 * Who waits for the slots of one limit, in which order: the more urgent first, then whoever asked first.
 *
 * Three kinds stand in one line. Those connected here, or at another limit that they need as well, get slots the moment
 * there are some. Those who poll are not there when a slot comes free, so they are overtaken rather than waited for; one
 * who was overtaken and comes back in time is told to come again soon, and the next slots are kept for it.
 */
import type { LeaseHolder } from "#protocol/concurrency-limits";
import type { EpochMs } from "#protocol/time";
import type { Asker } from "./concurrency-limit-owner.ts";
import type { LimitStore, PlaceRow } from "./storage/limit-store.ts";

/** Who was overtaken is to come back this soon. */
export const KEPT_RETRY_MS = 1_000;
/** A place is kept for this many times the time that its owner was told to wait. */
const PLACE_LASTS_FACTOR = 2;
/** Around the time it is due, somebody who polls is waited for by others who poll. */
const DUE_WINDOW_MS = 1_000;
/** Who waits at another limit stands here no longer than a request waits; after that the other limit is asked. */
const LOOK_AFTER_MS = 90_000;
/** Somebody may be this much too early to be taken for the one who was told to come now. */
const EARLY_MS = 250;

export interface LineEntry {
  readonly key: string;
  readonly slots: number;
  readonly priority: number;
  readonly since: EpochMs;
  readonly holder: LeaseHolder | null;
  readonly place:
    | { readonly kind: "connected" }
    /** Waits at another limit's object, which is called when the slots are there. */
    | {
        readonly kind: "elsewhere";
        readonly home: string;
        readonly calledUntil: EpochMs | null;
        /** When it is asked after, in case nobody could say that it is gone; null for one that never goes unsaid. */
        readonly lookAt: EpochMs | null;
      }
    | {
        readonly kind: "polling";
        readonly dueAt: EpochMs;
        readonly lapsesAt: EpochMs;
        readonly isAnonymous: boolean;
        readonly isKept: boolean;
      };
}

export interface Wish {
  readonly asker: Asker;
  readonly slots: number;
  readonly holder: LeaseHolder | null;
  readonly since: EpochMs;
}

export class LimitLine {
  readonly #store: LimitStore;
  #entries: LineEntry[] = [];
  readonly #byKey = new Map<string, LineEntry>();
  /** Keys of those who poll and were overtaken since they last asked. */
  readonly #overtaken = new Set<string>();

  constructor(store: LimitStore) {
    this.#store = store;
  }

  /** Reads the places that are stored; those connected here are added by the caller. */
  load(): void {
    this.#entries = [];
    this.#byKey.clear();
    for (const row of this.#store.places()) this.#insert(entryOf(row));
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** In order. */
  all(): readonly LineEntry[] {
    return this.#entries;
  }

  get(key: string): LineEntry | null {
    return this.#byKey.get(key) ?? null;
  }

  /** The place that is taken up by whoever asks; null for a newcomer. The anonymous are one like the other. */
  placeOf({ asker, slots }: Wish): LineEntry | null {
    if (asker.key !== null) return this.get(asker.key);
    return this.#entries.find((entry) => isAnonymousLike(entry, asker, slots)) ?? null;
  }

  /** Slots that are not for whoever asks: they are kept for somebody before. Counts no further than `free`. */
  keptBefore(wish: Wish, isConnected: boolean, free: number, limit: number, now: EpochMs): number {
    const own = this.placeOf(wish);
    let kept = 0;
    for (const entry of this.#entries) {
      if (entry === own || kept > free || (own === null && !precedes(entry, wish))) break;
      if (entry.slots > limit || !this.#isWaitedFor(entry, isConnected, now)) continue;
      if (wish.asker.key === null && isAnonymousLike(entry, wish.asker, wish.slots)) continue;
      kept += entry.slots;
    }
    return kept;
  }

  /** Slots that everybody before asks for. */
  wantedBefore(wish: Wish): number {
    const own = this.placeOf(wish);
    let wanted = 0;
    for (const entry of this.#entries) {
      if (entry === own || (own === null && !precedes(entry, wish))) break;
      wanted += entry.slots;
    }
    return wanted;
  }

  /** Notes who was overtaken by a grant. */
  overtake(wish: Wish): void {
    const own = this.placeOf(wish);
    for (const entry of this.#entries) {
      if (entry === own || (own === null && !precedes(entry, wish))) break;
      if (entry.place.kind === "polling") this.#overtaken.add(entry.key);
    }
  }

  /** Those who are to get `free` slots now, in order. */
  next(free: number, limit: number): LineEntry[] {
    const chosen: LineEntry[] = [];
    let left = free;
    for (const entry of this.#entries) {
      if (left < 1) break;
      // One who wants more than there will ever be holds up nobody.
      if (entry.slots > limit) continue;
      const { place } = entry;
      if (place.kind === "polling") {
        if (place.isKept) left -= entry.slots;
        continue;
      }
      if (entry.slots > left) break;
      left -= entry.slots;
      if (place.kind === "connected" || place.calledUntil === null) chosen.push(entry);
    }
    return chosen;
  }

  /** Whether somebody would get slots at once, who is not served by polling. */
  firstConnected(limit: number): LineEntry | null {
    return this.#entries.find((entry) => entry.place.kind !== "polling" && entry.slots <= limit) ?? null;
  }

  /** Lines up somebody who is connected here. */
  putConnected(key: string, wish: Wish): void {
    this.remove(key);
    this.#insert({ ...bare(key, wish), place: { kind: "connected" } });
  }

  /** Lines up somebody who is connected at another limit at `now`, or a flow run (null), whose owner never forgets it. */
  putElsewhere(key: string, wish: Wish, home: string, now: EpochMs | null): void {
    this.remove(key);
    const lookAt = now === null ? null : ((now + LOOK_AFTER_MS) as EpochMs);
    this.#insert({ ...bare(key, wish), place: { kind: "elsewhere", home, calledUntil: null, lookAt } });
    this.#store.putPlace(rowOf(this.get(key)));
  }

  /** Those elsewhere who have not been heard of for long. They are answered once, and again after another such time. */
  toAskAfter(now: EpochMs): LineEntry[] {
    const silent = this.#entries.filter(
      ({ place }) => place.kind === "elsewhere" && place.lookAt !== null && place.lookAt <= now,
    );
    for (const entry of silent) {
      if (entry.place.kind !== "elsewhere") continue;
      this.#replace(entry, { ...entry, place: { ...entry.place, lookAt: (now + LOOK_AFTER_MS) as EpochMs } });
    }
    return silent;
  }

  /** Somebody elsewhere is called: slots are kept for it until then. */
  call(entry: LineEntry, calledUntil: EpochMs): void {
    if (entry.place.kind !== "elsewhere") return;
    this.#replace(entry, { ...entry, place: { ...entry.place, calledUntil } });
  }

  /** Keeps the place of somebody who was refused and is to come back in `retryMs`; answers when it shall, in milliseconds. */
  putPolling(wish: Wish, retryMs: number, now: EpochMs): number {
    const known = this.#comesBackAs(wish, now);
    const isKept =
      known !== null && known.place.kind === "polling" && (known.place.isKept || this.#overtaken.has(known.key));
    const waitMs = isKept ? Math.min(retryMs, KEPT_RETRY_MS) : retryMs;
    const key = known?.key ?? wish.asker.key ?? `anonymous-${crypto.randomUUID()}`;
    if (known) this.remove(known.key);
    this.#insert({
      ...bare(key, { ...wish, since: known?.since ?? wish.since }),
      place: {
        kind: "polling",
        dueAt: (now + waitMs) as EpochMs,
        lapsesAt: (now + PLACE_LASTS_FACTOR * waitMs) as EpochMs,
        isAnonymous: wish.asker.key === null,
        isKept,
      },
    });
    this.#store.putPlace(rowOf(this.get(key)));
    return waitMs;
  }

  remove(key: string): void {
    const entry = this.#byKey.get(key);
    if (!entry) return;
    this.#byKey.delete(key);
    this.#overtaken.delete(key);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    if (entry.place.kind !== "connected") this.#store.deletePlace(key);
  }

  /** Whether there is a place of somebody who did not come back, or come, in time. */
  hasLapsed(now: EpochMs): boolean {
    return this.#entries.some((entry) => (lapseOf(entry) ?? Number.POSITIVE_INFINITY) <= now);
  }

  /** Drops the places of those who did not come back in time; whoever was called in vain may be called again. */
  lapse(now: EpochMs): void {
    for (const entry of this.#entries.filter((one) => (lapseOf(one) ?? Number.POSITIVE_INFINITY) <= now)) {
      if (entry.place.kind === "elsewhere")
        this.#replace(entry, { ...entry, place: { ...entry.place, calledUntil: null } });
      else this.remove(entry.key);
    }
  }

  /** When a place is lost that keeps slots from somebody who is connected, or asked after; null when there is none. */
  nextLapseAt(): EpochMs | null {
    let next: EpochMs | null = null;
    for (const entry of this.#entries) {
      const { place } = entry;
      if (place.kind === "connected" || (place.kind === "polling" && !place.isKept)) continue;
      const times = [lapseOf(entry), place.kind === "elsewhere" ? place.lookAt : null];
      for (const at of times) if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  #isWaitedFor({ place }: LineEntry, byConnected: boolean, now: EpochMs): boolean {
    if (place.kind !== "polling" || place.isKept) return true;
    return !byConnected && Math.abs(now - place.dueAt) <= DUE_WINDOW_MS;
  }

  #comesBackAs(wish: Wish, now: EpochMs): LineEntry | null {
    const { asker, slots } = wish;
    if (asker.key !== null) return this.get(asker.key);
    const isDue = ({ place }: LineEntry) => place.kind === "polling" && place.dueAt - EARLY_MS <= now;
    return this.#entries.find((entry) => isAnonymousLike(entry, asker, slots) && isDue(entry)) ?? null;
  }

  #replace(entry: LineEntry, changed: LineEntry): void {
    this.#entries[this.#entries.indexOf(entry)] = changed;
    this.#byKey.set(entry.key, changed);
  }

  #insert(entry: LineEntry): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#entries[middle];
      if (other && order(other, entry) <= 0) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
    this.#byKey.set(entry.key, entry);
  }
}

function bare(key: string, wish: Wish): Omit<LineEntry, "place"> {
  return { key, slots: wish.slots, priority: wish.asker.priority, since: wish.since, holder: wish.holder };
}

function order(one: LineEntry, other: LineEntry): number {
  return one.priority - other.priority || one.since - other.since;
}

/** Whether an entry stands before a wish that has no place yet. */
function precedes(entry: LineEntry, wish: Wish): boolean {
  if (entry.priority !== wish.asker.priority) return entry.priority < wish.asker.priority;
  return entry.since <= wish.since;
}

function isAnonymousLike(entry: LineEntry, asker: Asker, slots: number): boolean {
  const { place } = entry;
  return place.kind === "polling" && place.isAnonymous && entry.slots === slots && entry.priority === asker.priority;
}

function lapseOf({ place }: LineEntry): EpochMs | null {
  if (place.kind === "polling") return place.lapsesAt;
  return place.kind === "elsewhere" ? place.calledUntil : null;
}

function entryOf(row: PlaceRow): LineEntry {
  const { key, slots, priority, since, holder, home, dueAt, lapsesAt, isAnonymous, isKept, lookAt } = row;
  return {
    key,
    slots,
    priority,
    since,
    holder,
    place:
      home === null
        ? { kind: "polling", dueAt, lapsesAt, isAnonymous, isKept }
        : { kind: "elsewhere", home, calledUntil: null, lookAt },
  };
}

function rowOf(entry: LineEntry | null): PlaceRow {
  if (entry === null || entry.place.kind === "connected")
    throw new TypeError("Only those who are not here have a row.");
  const { key, slots, priority, since, holder, place } = entry;
  const row = { key, slots, priority, since, holder };
  if (place.kind === "elsewhere") {
    const { home, lookAt } = place;
    return { ...row, home, dueAt: since, lapsesAt: since, isAnonymous: false, isKept: false, lookAt };
  }
  const { dueAt, lapsesAt, isAnonymous, isKept } = place;
  return { ...row, home: null, dueAt, lapsesAt, isAnonymous, isKept, lookAt: null };
}
