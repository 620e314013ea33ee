/** Waits between attempts to reach the control plane. */

/** Full jitter: a random span below a bound that doubles with each attempt (0 for the first), so that nobody marches in step. */
export function fullJitterMs(attempt: number, baseMs: number, maxMs: number): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}

/** Waits; a signal ends it early with its reason. */
export function pause(spanMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, spanMs);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
