/** Load with a fixed number of callers for a fixed time, and what came of it. */

export interface LoadResult {
  /** Completed calls per second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
}

/** Runs `step` in a loop by each of `callers` for `durationMs`, after a tenth of that time as a warm-up. */
export async function load(
  callers: number,
  durationMs: number,
  step: (caller: number) => Promise<void>,
): Promise<LoadResult> {
  const latencies: number[] = [];
  let failures = 0;
  const start = performance.now() + durationMs / 10;
  const end = start + durationMs;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let begin = performance.now(); begin < end; begin = performance.now()) {
        try {
          await step(caller);
          if (begin >= start) latencies.push(performance.now() - begin);
        } catch {
          failures += 1;
        }
      }
    }),
  );
  return { rate: (latencies.length * 1000) / durationMs, ...percentiles(latencies), failures };
}

export function percentiles(values: readonly number[]): { p50Ms: number; p95Ms: number; p99Ms: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
