/** Waits before another attempt: whoever lost the same server at the same moment does not come back to it at the same moment. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { fullJitterMs } from "../../sdk/client/jitter.ts";

const BASE_MS = 250;
const MAX_MS = 10_000;
const WORKERS = 1_000;

/** When each of a thousand workers tries, of a server that is away from 0 to `awayMs`: at the time of the first success. */
function returns(awayMs: number): number[] {
  return Array.from({ length: WORKERS }, () => {
    let at = 0;
    for (let attempt = 0; ; attempt++) {
      at += fullJitterMs(attempt, BASE_MS, MAX_MS);
      if (at >= awayMs) return at - awayMs;
    }
  });
}

function mostWithin(spanMs: number, times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while ((sorted[to] ?? 0) - (sorted[from] ?? 0) > spanMs) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** Teeth: with half of each wait fixed ("equal jitter") the first two fail, with none of it random all do. */
describe("full jitter", () => {
  it("is anything from nothing to a bound that doubles until the longest", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        (n, base, max) => {
          const bound = Math.min(max, base * 2 ** Math.min(n, 30));
          const drawn = Array.from({ length: 200 }, () => fullJitterMs(n, base, max));
          expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...drawn)).toBeLessThan(bound);
          // Of 200, one in the lowest and one in the highest quarter, but for one case in 10^24.
          expect(Math.min(...drawn)).toBeLessThan(bound / 4);
          expect(Math.max(...drawn)).toBeGreaterThan((bound * 3) / 4);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("spreads a thousand evenly: no tenth of the span has half as many again as its share", ({ expect }) => {
    const tenths = new Array<number>(10).fill(0);
    for (let worker = 0; worker < WORKERS; worker++) {
      const tenth = Math.floor((fullJitterMs(20, BASE_MS, MAX_MS) / MAX_MS) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.max(...tenths)).toBeLessThan(160);
    expect(Math.min(...tenths)).toBeGreaterThan(50);
  });

  it.for([5_000, 30_000, 120_000])(
    "lets a server that was away for %d ms have a thousand workers back in a trickle",
    (awayMs, { expect }) => {
      const times = returns(awayMs);
      expect(Math.max(...times)).toBeLessThanOrEqual(MAX_MS);
      // A storm would be all of them at once; evenly over the longest wait it is ten in a tenth of a second.
      expect(mostWithin(100, times)).toBeLessThan(WORKERS / 10);
    },
  );
});
