/**
 * Time zones: what a clock on the wall shows at an instant, and the instant of what it shows.
 *
 * A wall time is written as the milliseconds that it would be in UTC. The platform's time zone data is asked through
 * `Intl`, which is slow, so that a zone remembers its offsets by the week.
 */
import type { EpochMs } from "#protocol/time";

const BLOCK_MS = 7 * 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** By every clock it is the year 1. */
const FIRST_DAY_OVER = -62_135_596_800_000 + DAY_MS;
/** Weeks that a zone remembers before it starts anew. */
const MAX_BLOCKS = 20_000;

/** What a clock shows, as the milliseconds since 1970 that it would be in UTC. */
export type WallMs = number;

/** The offset during a week: `before` until `changesAt`, `after` from then on. */
interface Block {
  readonly before: number;
  readonly changesAt: number;
  readonly after: number;
}

const zones = new Map<string, Zone>();

/** The zone with an IANA name, for example `Europe/London`; null when there is none. */
export function zoneNamed(name: string): Zone | null {
  const known = zones.get(name);
  if (known) return known;
  // An offset such as "+02:00" is no zone: it knows no daylight saving time, and upstream does not take it.
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    const zone = new Zone(name);
    zones.set(name, zone);
    return zone;
  } catch {
    return null;
  }
}

export class Zone {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #blocks = new Map<number, Block>();

  /** Throws a RangeError when there is no such zone. */
  constructor(name: string) {
    this.#format =
      name === "UTC"
        ? null
        : new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
            timeZone: name,
            hourCycle: "h23",
            year: "numeric",
            month: "numeric",
            day: "numeric",
            hour: "numeric",
            minute: "numeric",
            second: "numeric",
          });
  }

  /** How far the clock is ahead of UTC at an instant, in milliseconds. */
  offsetAt(at: number): number {
    if (this.#format === null) return 0;
    const { before, changesAt, after } = this.#block(Math.floor(at / BLOCK_MS));
    return at < changesAt ? before : after;
  }

  wallAt(at: number): WallMs {
    return at + this.offsetAt(at);
  }

  /**
   * The instant at which the clock shows `wall`. Of two such instants it is the first. A time that the clock skips is
   * read with the offset that holds after the change, so that it comes before it: as Prefect's cron and rrule schedules.
   */
  instantOf(wall: WallMs): EpochMs {
    const { before, after } = this.#around(wall);
    const first = wall - before;
    if (before === after || this.offsetAt(first) === before) return first as EpochMs;
    return (wall - after) as EpochMs;
  }

  /** The same for sums of days, as Prefect's intervals: the second of two instants; a skipped time comes after the change. */
  instantOfSum(wall: WallMs): EpochMs {
    const { before, after } = this.#around(wall);
    const second = wall - after;
    if (before === after || this.offsetAt(second) === after) return second as EpochMs;
    return (wall - before) as EpochMs;
  }

  /** No clock time later than `wall` comes before this instant. */
  earliestAfter(wall: WallMs): number {
    const { before, after } = this.#around(wall);
    return wall - Math.max(before, after, this.offsetAt(wall + DAY_MS));
  }

  #around(wall: WallMs): { before: number; after: number } {
    return { before: this.offsetAt(wall - DAY_MS), after: this.offsetAt(wall + DAY_MS) };
  }

  #block(index: number): Block {
    const known = this.#blocks.get(index);
    if (known) return known;
    const block = this.#look(index * BLOCK_MS, (index + 1) * BLOCK_MS);
    if (this.#blocks.size >= MAX_BLOCKS) this.#blocks.clear();
    this.#blocks.set(index, block);
    return block;
  }

  /** Finds the change within a week by halving it, to the second. */
  #look(from: number, to: number): Block {
    const before = this.#ask(from);
    const after = this.#ask(to - 1000);
    if (before === after) return { before, changesAt: to, after };
    let low = from / 1000;
    let high = to / 1000 - 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle * 1000) === before) low = middle;
      else high = middle;
    }
    return { before, changesAt: high * 1000, after };
  }

  #ask(instant: number): number {
    // Years before the first are written as if they came after it.
    const at = Math.max(instant, FIRST_DAY_OVER);
    const parts: Record<string, string> = {};
    for (const { type, value } of this.#format?.formatToParts(at) ?? []) parts[type] = value;
    const { year, month, day, hour, minute, second } = parts;
    const wall = new Date(0);
    wall.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
    wall.setUTCHours(Number(hour), Number(minute), Number(second));
    return wall.getTime() - at;
  }
}
