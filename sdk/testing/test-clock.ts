/** A clock that stands still until everything waits for it; then it jumps to the next moment that somebody waits for. */
import type { Clock } from "../flow/clock.ts";
import { type Duration, parseDuration } from "../flow/duration.ts";
import type { DurationMs, EpochMs } from "../protocol/time.ts";

/** How a piece of work is awaited. */
export interface TestClockOptions {
  /**
   * For how many real milliseconds nothing may have come of the work before the clock jumps. Default 0, which is right for
   * code that waits for the clock alone; code that also waits for files or a network needs more, 50 for example, or
   * its timeouts pass before the answer comes.
   */
  readonly idleMs?: number;
  /** For how many real milliseconds the work may take in all. Default 10,000. */
  readonly deadlineMs?: number;
}

/** 2026-11-21T05:14:31Z: where a clock stands that is not told otherwise. */
export const TEST_START = 1_795_238_071_000 as EpochMs;

/**
 * What otherwise loads at its first use: that takes time of the machine, in which this clock would jump over what waits for
 * it.
 */
function loaded(): Promise<unknown> {
  return Promise.all([
    import("../flow/engine/run-flow.ts"),
    import("../flow/engine/offline-backend.ts"),
    import("../flow/held-slots.ts"),
    import("../flow/results/keeping.ts"),
    import("../protocol/artifacts.ts"),
  ]);
}

/** Turns of the event loop in which nothing came of the work: it waits for the clock. */
const IDLE_TURNS = 4;

/**
 * Time as a test wants it: retries, `sleep`, timeouts and cache expiry go by it and take none of the machine's. Timers that
 * user code starts by itself (`setTimeout`) do not.
 */
export class TestClock implements Clock {
  readonly #startedAt: number;
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  /** `start` is where the clock stands at first, in milliseconds since 1970. Default {@link TEST_START}. */
  constructor(start: number | Date = TEST_START) {
    this.#startedAt = Number(start);
    this.#now = this.#startedAt;
  }

  /** Milliseconds since 1970 on this clock. */
  now(): EpochMs {
    return this.#now as EpochMs;
  }

  /** Calls back once when the clock has gone on by `spanMs`, unless cancelled by the answered function. */
  after(spanMs: DurationMs, callback: () => void): () => void {
    const timer = { at: this.#now + spanMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are still waiting: none after a flow has ended. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Milliseconds that passed on this clock since it was made. */
  get elapsedMs(): number {
    return this.#now - this.#startedAt;
  }

  /**
   * Awaits the work and answers what it answers, jumping over every wait in it. Throws what the work throws, and an Error
   * when it has not ended by the deadline.
   */
  async run<T>(work: Promise<T>, { idleMs = 0, deadlineMs = 10_000 }: TestClockOptions = {}): Promise<T> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    noted.catch(() => undefined);
    await loaded();
    const deadline = performance.now() + deadlineMs;
    while (!settled) {
      if (performance.now() > deadline) {
        throw new Error(
          `The work has not ended within ${deadlineMs} ms, and ${this.#timers.size} timers of this clock wait. ` +
            "What it waits for is not the clock: give a longer deadlineMs, or let it end.",
        );
      }
      const idleUntil = performance.now() + idleMs;
      for (let idle = 0; !settled && (idle < IDLE_TURNS || performance.now() < idleUntil); idle++) await turn();
      if (!settled) this.#jump(Infinity);
    }
    return await noted;
  }

  /** Goes on by a span, step by step: whatever is due within it is called at its own moment. */
  async advance(span: Duration): Promise<void> {
    const until = this.#now + parseDuration(span, "advance()");
    await loaded();
    do {
      for (let idle = 0; idle < IDLE_TURNS; idle++) await turn();
    } while (this.#jump(until));
    this.#now = until;
  }

  /** Forgets all timers, as the end of a process does. */
  clear(): void {
    this.#timers.clear();
  }

  /** Goes on to the next timer, unless that is due later than `until`; answers whether there was one. */
  #jump(until: number): boolean {
    const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined || next.at > until) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }
}

/** Lets everything else that is ready run once. */
function turn(): Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  return new Promise((done) => void (immediate ? immediate(done) : setTimeout(done, 0)));
}
