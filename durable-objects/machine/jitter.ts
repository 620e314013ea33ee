/** Spreads retries, so that what failed together does not come back together. */

/**
 * An exponentially distributed span with the median near `average`, cut to at most `average × (1 + factor)` and to a
 * lower bound that balances it: Prefect's clamped Poisson interval.
 *
 * `random` is from 0 to 1 (1 excluded). A factor of 0 answers `average`.
 */
export function jittered(average: number, factor: number, random: number): number {
  if (average <= 0 || factor <= 0) return Math.max(0, average);
  const highest = 1 + factor;
  const power = 2 ** Math.min(highest, 50);
  const lowest = Math.log2(power / (power - 1));
  const low = 1 - Math.exp(-lowest);
  const high = 1 - Math.exp(-highest);
  return -Math.log(Math.max(1 - (low + (high - low) * random), 1e-10)) * average;
}
