/** Waits that somebody bounds: by a span of the run's clock, or by a signal. */
import type { DurationMs } from "../protocol/time.ts";
import type { WaitOptions } from "./background/delayed-run.ts";
import type { Clock } from "./clock.ts";
import { clock } from "./configuration.ts";
import { parseDuration } from "./duration.ts";
import { onAbort } from "./engine/on-abort.ts";
import { currentScope, runSignal } from "./engine/scope.ts";

/** The clock of the run that the calling code belongs to; outside of runs, that of the process. */
export function runClock(): Clock {
  return currentScope()?.execution.clock ?? clock();
}

export function isBounded({ timeout, signal }: WaitOptions): boolean {
  return timeout !== undefined || signal !== undefined;
}

/** The span of the option; null for none. `where` is the function that has it. Throws TypeError. */
export function timeoutOf({ timeout }: WaitOptions, where: string): DurationMs | null {
  return timeout === undefined ? null : parseDuration(timeout, `${where} option "timeout"`);
}

/**
 * Answers what the work answers. Rejects with what `late` answers when the span has passed first (null: there is none), and
 * with the signal's reason; by default the signal is that of the run that the calling code belongs to.
 */
export function within<T>(
  work: Promise<T>,
  timeoutMs: DurationMs | null,
  signal: AbortSignal | undefined = runSignal(),
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer =
      timeoutMs === null
        ? null
        : runClock().after(timeoutMs, () => {
            forget?.();
            reject(late());
          });
    const forget =
      signal === undefined
        ? null
        : onAbort(signal, () => {
            timer?.();
            reject(signal.reason);
          });
    const end = (): void => {
      timer?.();
      forget?.();
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
