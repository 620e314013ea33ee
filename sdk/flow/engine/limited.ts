/** Runs user code within its limits: a timeout ends it at once, a signal after a moment in which it may clean up. */
import { ms } from "../../protocol/time.ts";
import type { Clock } from "../clock.ts";
import { onAbort } from "./on-abort.ts";

export interface Limits {
  readonly clock: Clock;
  /** Aborts when the code is to stop from outside; the code has heard of it by itself. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number | null;
  /** How long code that was told to stop may take to clean up before it is left alone, in milliseconds. */
  readonly cleanUpMs: () => number;
  /** Called when the timeout has passed: tells the code, and answers the error. */
  readonly onTimeout: () => Error;
}

/**
 * Answers what the code answers. After the timeout it rejects with its error; after an abort it waits a moment for
 * the code, then rejects with the signal's reason. Code that goes on nevertheless is not listened to.
 */
export function limited<T>(code: () => T | PromiseLike<T>, limits: Limits): Promise<T> {
  const { clock, signal, timeoutMs } = limits;
  return new Promise((resolve, reject) => {
    let cancel: (() => void) | null = null;
    let forget: (() => void) | null = null;
    const settle = (): void => {
      cancel?.();
      forget?.();
    };
    const start = async (): Promise<T> => await code();
    start().then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
    if (timeoutMs !== null) {
      cancel = clock.after(ms(timeoutMs), () => {
        forget?.();
        reject(limits.onTimeout());
      });
    }
    forget = onAbort(signal, () => {
      cancel?.();
      cancel = clock.after(ms(limits.cleanUpMs()), () => reject(signal.reason));
    });
  });
}
