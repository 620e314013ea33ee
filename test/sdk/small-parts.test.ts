import { describe, it } from "vitest";
import { FlowRunId, partitionOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { exponentialBackoff, retryPolicy } from "../../sdk/flow/backoff.ts";
import { formatDuration, parseDuration } from "../../sdk/flow/duration.ts";
import { shapeOf } from "../../sdk/flow/engine/function-shape.ts";
import { newFlowRunId, newStateId, newTaskRunId } from "../../sdk/flow/engine/new-id.ts";
import { TEST_START } from "../../sdk/testing/index.ts";

describe("a duration", () => {
  it.for([
    [0, 0],
    [1500, 1500],
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1h 30m", 5_400_000],
    ["2d", 172_800_000],
    [" 10 s ", 10_000],
  ] as const)("of %o is %i milliseconds", ([text, expected], { expect }) => {
    expect(parseDuration(text, "timeout")).toBe(expected);
  });

  it.for(["", "30", "s", "-5s", "5 minutes", "1h,30m", -1, Number.NaN, Infinity])(
    "cannot be %o",
    (value, { expect }) => {
      expect(() => parseDuration(value, 'task option "timeout"')).toThrow(/^task option "timeout" is /);
    },
  );

  it.for([
    [0.4, "0 ms"],
    [350, "350 ms"],
    [2_500, "2.5 s"],
    [250_000, "4 min 10 s"],
  ] as const)("of %i ms is written %s", ([span, text], { expect }) => {
    expect(formatDuration(span)).toBe(text);
  });
});

describe("exponentialBackoff", () => {
  it("doubles from one second unless told otherwise", ({ expect }) => {
    expect([1, 2, 3, 4].map(exponentialBackoff())).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect([1, 2, 3, 4].map(exponentialBackoff({ base: "10s", factor: 3, max: "1m" }))).toEqual([
      10_000, 30_000, 60_000, 60_000,
    ]);
  });

  it("refuses a factor that is not above 0", ({ expect }) => {
    expect(() => exponentialBackoff({ factor: 0 })).toThrow(/"factor" is 0/);
  });
});

describe("retryPolicy", () => {
  it("writes out a delay for each retry, as far as the control plane takes them", ({ expect }) => {
    const of = (retries: number) => retryPolicy("Task", { retries, retryDelay: (retry) => retry * 1_000 }).retry_delay;
    expect(of(3)).toEqual([1, 2, 3]);
    expect(of(60)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });
});

describe("a function's shape", () => {
  const of = (source: string): ReturnType<typeof shapeOf> =>
    shapeOf(new Function(`return (${source})`)() as () => unknown);

  it.for([
    ["async (source, { signal }) => 1", ["source", ""], 1],
    ["({ signal }) => 1", [""], 0],
    ["({ a = {} }, { signal: s }) => 1", ["", ""], 1],
    ["({ a } = {}) => 1", [""], null],
    ["(a, b) => 1", ["a", "b"], null],
    ["(a, ctx) => 1", ["a", "ctx"], 1],
    ["(a, _context) => 1", ["a", "_context"], 1],
    ["x => x", ["x"], null],
    ["async ctx => ctx", ["ctx"], 0],
    ["() => 1", [], null],
    ["(a = ')', b = f(1, 2), ...rest) => 1", ["a", "b", "rest"], null],
    ["(a /* , { no } */, // ) \n { runCount }) => 1", ["a", ""], 1],
    ["async function load(page, { signal }) { return 1 }", ["page", ""], 1],
    ["function* pages(from) { yield from }", ["from"], null],
    ["{ async method(a, { signal }) { return 1 } }.method", ["a", ""], 1],
    ["{ ['computed key'](a) { return 1 } }['computed key']", ["a"], null],
    ["Math.max", [], null],
  ] as const)("is read from %s", ([source, names, contextIndex], { expect }) => {
    expect(of(source)).toMatchObject({ names, contextIndex });
  });

  it("has a hash that follows its source", ({ expect }) => {
    expect(of("() => 1").hash).toMatch(/^[0-9a-f]{8}$/);
    expect(of("() => 1").hash).not.toBe(of("() => 2").hash);
    expect(of("() => 1").hash).toBe(of("() => 1").hash);
  });
});

describe("ids made by a process", () => {
  it("of task runs and states carry the partition of their flow run, also weeks later", ({ expect }) => {
    const run = FlowRunId.parse("019a9f6b-3a01-7abc-8000-0123456789ab");
    const weeksLater = (TEST_START + 21 * 24 * 3_600_000) as EpochMs;
    for (const at of [TEST_START, weeksLater]) {
      expect(partitionOf(newTaskRunId(at, run))).toBe(partitionOf(run));
      expect(partitionOf(newStateId(at, run))).toBe(partitionOf(run));
    }
  });

  it("are not made twice", ({ expect }) => {
    const made = new Set(Array.from({ length: 10_000 }, () => newFlowRunId(TEST_START)));
    expect(made.size).toBe(10_000);
  });
});
