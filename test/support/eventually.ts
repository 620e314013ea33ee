/** Waits for a condition instead of for a time. */
import { setTimeout as sleep } from "node:timers/promises";

export interface EventuallyOptions {
  /** Default 10,000. */
  readonly withinMs?: number;
  /** Default 20. */
  readonly everyMs?: number;
}

/**
 * Asks again and again until the answer is neither false, null nor undefined, and answers that. Throws when the time is
 * over, naming what was waited for and what was seen last.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<Exclude<T, false>>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(`Waited ${withinMs} ms in vain: ${what}. The last answer was ${String(last)}.`, { cause: last });
    }
    await sleep(everyMs);
  }
}
