/**
 * Judges spans on machines that others use, too. What counts of a span is the time in which this machine gave the test
 * its turns: a beat goes on beside what is measured, and for however long it is late, everything stood still.
 */

const BEAT_MS = 5;

/** How long the work took, in milliseconds, less those for which the machine stood still. */
export async function awakeMs(work: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let stoodStillMs = 0;
  const beat = async (): Promise<void> => {
    while (!isOver) {
      const from = performance.now();
      await scheduler.wait(BEAT_MS);
      stoodStillMs += Math.max(0, performance.now() - from - 2 * BEAT_MS);
    }
  };
  const beats = beat();
  const from = performance.now();
  try {
    await work();
  } finally {
    isOver = true;
  }
  const tookMs = performance.now() - from;
  await beats;
  return Math.max(0, tookMs - stoodStillMs);
}

/** The span that the given part of all do not exceed: `quantile(spans, 0.95)`. */
export function quantile(spans: readonly number[], part: number): number {
  const sorted = [...spans].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0;
}
