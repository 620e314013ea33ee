/**
 * Since when they wait whose connection ended and who said that they come back: their next connection may be here before
 * the end of the last one has been stored, and those who stood in another limit's line have left it. Kept in memory only.
 */
import type { EpochMs } from "#protocol/time";

/** Who comes back does so at once; this leaves time for a client's own pauses. */
const REMEMBERED_MS = 30_000;

export class ComersBack {
  readonly #waits = new Map<string, { readonly since: EpochMs; readonly until: EpochMs }>();

  remember(key: string, since: EpochMs, now: EpochMs): void {
    for (const [other, { until }] of this.#waits) {
      if (until > now) break;
      this.#waits.delete(other);
    }
    this.#waits.delete(key);
    this.#waits.set(key, { since, until: (now + REMEMBERED_MS) as EpochMs });
  }

  /** Null for a newcomer, or one that stayed away for too long. */
  take(key: string, now: EpochMs): EpochMs | null {
    const wait = this.#waits.get(key);
    this.#waits.delete(key);
    return wait !== undefined && wait.until > now ? wait.since : null;
  }
}
