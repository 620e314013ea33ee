/** The one place of the flow engine that reads the time and waits. Tests put another clock in its place. */
import { type DurationMs, type EpochMs, ms } from "../protocol/time.ts";
import { onAbort } from "./engine/on-abort.ts";

/** Time as the engine sees it: retries, timeouts and waits all go through it. */
export interface Clock {
  now(): EpochMs;
  /** Calls back once, `spanMs` from now, unless cancelled by the answered function. */
  after(spanMs: DurationMs, callback: () => void): () => void;
}

/** `setTimeout` takes at most this many milliseconds; longer spans are waited in parts. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How far the fine clock may be from the wall clock, which is set now and then, before it follows. */
const DRIFT_MS = 2;
let fineOffsetMs = 0;

/** Wall-clock time with the resolution of `performance.now()`: short tasks have a length, too. */
function now(): EpochMs {
  const wall = Date.now();
  const fine = performance.timeOrigin + performance.now() + fineOffsetMs;
  if (Math.abs(fine - wall) <= DRIFT_MS) return fine as EpochMs;
  fineOffsetMs += wall - fine;
  return wall as EpochMs;
}

/** The machine's own clock. */
export const SYSTEM_CLOCK: Clock = {
  now,
  after(spanMs, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number): void => {
      const partMs = Math.min(leftMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : callback()), partMs);
    };
    wait(spanMs);
    return () => clearTimeout(timer);
  },
};

/** Waits. Rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, spanMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms(spanMs), () => {
      forget();
      resolve();
    });
    const forget = onAbort(signal, () => {
      cancel();
      reject(signal.reason);
    });
  });
}
