import { describe, it } from "vitest";
import { StartTrouble } from "../../../sdk/runner/start-trouble.ts";

describe("runs that cannot be started", () => {
  it("make the worker pause when there are three in a row, longer each time, ten minutes at most", ({ expect }) => {
    const trouble = new StartTrouble();
    const pauses = Array.from({ length: 18 }, () => trouble.failed()).filter((pause) => pause !== null);
    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it("are forgotten as soon as one is started", ({ expect }) => {
    const trouble = new StartTrouble(1_000);
    expect([trouble.failed(), trouble.failed()]).toEqual([null, null]);
    trouble.started();
    const three = () => [trouble.failed(), trouble.failed(), trouble.failed()];
    expect([three(), three()]).toEqual([
      [null, null, 1_000],
      [null, null, 2_000],
    ]);
    trouble.started();
    expect(three()).toEqual([null, null, 1_000]);
  });
});
