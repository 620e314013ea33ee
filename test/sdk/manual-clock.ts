/** A clock that stands still until everything waits for it; then it jumps to the next moment that somebody waits for. */
import { setImmediate as turn } from "node:timers/promises";
import type { DurationMs, EpochMs } from "#protocol/time";
import type { Clock } from "../../sdk/flow/clock.ts";

/** 2026-11-21T05:14:31Z */
export const TEST_START = 1_795_238_071_000 as EpochMs;
const DEADLINE_MS = 10_000;

export class ManualClock implements Clock {
  #now: number = TEST_START;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): EpochMs {
    return this.#now as EpochMs;
  }

  after(spanMs: DurationMs, callback: () => void): () => void {
    const timer = { at: this.#now + spanMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are still waiting: none after a flow has ended. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Milliseconds that passed on this clock. */
  get elapsedMs(): number {
    return this.#now - TEST_START;
  }

  /** Awaits the work, jumping over every wait in it. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    noted.catch(() => undefined);
    const deadline = performance.now() + DEADLINE_MS;
    while (!settled) {
      if (performance.now() > deadline) throw new Error("The work did not end in time, and waits for no timer.");
      for (let idle = 0; idle < 4 && !settled; idle++) await turn();
      if (!settled) this.#jump();
    }
    return await noted;
  }

  #jump(): void {
    const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
  }
}
