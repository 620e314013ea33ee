import { describe, it } from "vitest";
import { intervalSeconds } from "../../sdk/flow/interval.ts";

describe("an interval", () => {
  it.for([
    [90, 90],
    ["90", 90],
    ["1.5", 1.5],
    ["01:30:00", 5_400],
    ["0:00:10", 10],
    ["PT15M", 900],
    ["P1DT12H", 129_600],
    ["P2W", 1_209_600],
    ["pt0.5s", 0.5],
  ] as const)("%j is %d seconds", ([written, seconds], { expect }) => {
    expect(intervalSeconds(written)).toBe(seconds);
  });

  it.for([0, -1, "", "0", "P", "P1M", "1:60:00", "soon", Number.NaN, "PT"])("%j is none", (written, { expect }) => {
    expect(() => intervalSeconds(written)).toThrow(RangeError);
  });
});
