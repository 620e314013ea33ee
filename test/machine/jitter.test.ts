import { describe, it } from "vitest";
import { jittered } from "#machine/jitter";

const DRAWS = Array.from({ length: 1000 }, (_, index) => index / 1000);

describe("the jitter of a delay", () => {
  it.for([
    { average: 10, factor: 0, expected: 10 },
    { average: 0, factor: 0.5, expected: 0 },
    { average: -1, factor: 0, expected: 0 },
  ])("of $average s with factor $factor is always $expected s", ({ average, factor, expected }, { expect }) => {
    expect(new Set(DRAWS.map((random) => jittered(average, factor, random)))).toEqual(new Set([expected]));
  });

  it.for([{ factor: 0.1 }, { factor: 0.5 }, { factor: 1 }, { factor: 100 }])(
    "with factor $factor grows with the draw and stays below its bound",
    ({ factor }, { expect }) => {
      const delays = DRAWS.map((random) => jittered(10, factor, random));
      expect(delays).toEqual(delays.toSorted((a, b) => a - b));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...delays)).toBeLessThanOrEqual(10 * (1 + factor));
      expect(delays.at(-1)).toBeGreaterThan(delays[0] ?? Number.NaN);
    },
  );
});
