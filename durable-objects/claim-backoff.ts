/**
 * When a claim that failed is asked for again. Memory only: after a loss of memory everything is tried at once.
 *
 * An owner that is overloaded or was reset fails all its runs, so all of them wait; any other failure is about the one
 * run, which must not stop the others.
 */
import { type FlowRunId, partitionOf } from "#protocol/ids";
import { after, type EpochMs, ms } from "#protocol/time";

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;

interface Failures {
  readonly count: number;
  readonly retryAt: EpochMs;
}

export class ClaimBackoff {
  readonly #failures = new Map<string, Failures>();

  /** Records a failure; answers when to ask again. `random` is between 0 and 1 and spreads the callers. */
  failed(id: FlowRunId, error: unknown, now: EpochMs, random: number): EpochMs {
    const key = isAboutOwner(error) ? ownerKey(id) : id;
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1));
    const retryAt = after(now, ms(delayMs * (0.5 + random / 2)));
    this.#failures.set(key, { count, retryAt });
    return retryAt;
  }

  /** The owner answered about this run, or the run does not wait any more. */
  answered(id: FlowRunId): void {
    this.#failures.delete(id);
    this.#failures.delete(ownerKey(id));
  }

  /** The run does not wait any more; this says nothing about its owner. */
  forget(id: FlowRunId): void {
    this.#failures.delete(id);
  }

  blocks(id: FlowRunId, now: EpochMs): boolean {
    return this.retryAt(id, now) !== null;
  }

  /** When this run may be asked for again; null when it may be now. */
  retryAt(id: FlowRunId, now: EpochMs): EpochMs | null {
    const retryAt = Math.max(this.#failures.get(id)?.retryAt ?? 0, this.#failures.get(ownerKey(id))?.retryAt ?? 0);
    return retryAt > now ? (retryAt as EpochMs) : null;
  }

  /** When the next of those that wait may be asked again; null when nothing waits. */
  nextRetryAt(now: EpochMs): EpochMs | null {
    let next: EpochMs | null = null;
    for (const { retryAt } of this.#failures.values()) {
      if (retryAt > now && (next === null || retryAt < next)) next = retryAt;
    }
    return next;
  }
}

function ownerKey(id: FlowRunId): string {
  return `owner ${partitionOf(id)}`;
}

/** The runtime marks errors of the object itself, as opposed to those that its code threw. */
function isAboutOwner(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return ["overloaded", "retryable", "durableObjectReset"].some((mark) => Reflect.get(error, mark) === true);
}
