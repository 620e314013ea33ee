import { describe, it } from "vitest";
import { type CONTROL_OPTIONS, controlOf } from "../../../sdk/cli/commands/deployment/flow-control-options.ts";
import { runCli } from "../../../sdk/cli/run-cli.ts";
import { readSpan } from "../../../sdk/cli/span.ts";
import { CONCURRENCY_STRATEGIES, type FlowControl, NO_FLOW_CONTROL } from "../../../sdk/protocol/flow-control.ts";

/** As the parser answers when nothing is typed. */
const NOTHING = {
  key: undefined,
  limit: undefined,
  strategy: undefined,
  off: false,
  debounce: undefined,
  debounceKey: undefined,
  throttle: undefined,
  throttleKey: undefined,
  onLost: undefined,
  timeToLive: undefined,
} as const satisfies Record<keyof typeof CONTROL_OPTIONS, unknown>;

const FULL: FlowControl = {
  concurrency: { key: "parameters.a", limit: 2, strategy: "skip" },
  debounce: { key: "parameters.b", seconds: 5 },
  throttle: { key: "tags.0", limit: 3, seconds: 60 },
  on_lost: "retry",
  time_to_live_seconds: 9,
};

describe("what flow control is to be", () => {
  it("is not said by nothing", ({ expect }) => {
    expect(controlOf(FULL, NOTHING)).toBeNull();
  });

  it.for([
    [{ limit: 4 }, { concurrency: { key: "parameters.a", limit: 4, strategy: "skip" } }],
    [{ key: "none" }, { concurrency: { key: null, limit: 2, strategy: "skip" } }],
    [{ off: true }, { concurrency: null }],
    [{ debounce: 500 }, { debounce: { key: "parameters.b", seconds: 0.5 } }],
    [{ debounceKey: "none" }, { debounce: { key: null, seconds: 5 } }],
    [{ debounce: "none" }, { debounce: null }],
    [{ throttle: { limit: 1, seconds: 2 } }, { throttle: { key: "tags.0", limit: 1, seconds: 2 } }],
    [{ throttleKey: "tags.1" }, { throttle: { key: "tags.1", limit: 3, seconds: 60 } }],
    [{ throttle: "none" }, { throttle: null }],
    [{ onLost: "crash" }, { on_lost: "crash" }],
    [{ timeToLive: 0 }, { time_to_live_seconds: null }],
    [{ timeToLive: 90_000 }, { time_to_live_seconds: 90 }],
  ] as const)("changes by %j only %j", ([said, changed], { expect }) => {
    expect(controlOf(FULL, { ...NOTHING, ...said })).toEqual({ ...FULL, ...changed });
  });

  it.for(CONCURRENCY_STRATEGIES)(
    "takes the strategy %s, with one key and one run unless said",
    (strategy, { expect }) => {
      const concurrency = { key: null, limit: 1, strategy };
      expect(controlOf(NO_FLOW_CONTROL, { ...NOTHING, strategy })).toEqual({ ...NO_FLOW_CONTROL, concurrency });
    },
  );
});

describe("sluice deployment flow-control", () => {
  it.for([
    [["--throttle", "5"], "neither runs in a span, such as 5/1m, nor none"],
    [["--throttle", "0/1m"], "neither runs in a span"],
    [["--throttle", "5/soon"], "not a span"],
    [["--debounce", "soon"], "not a span: write 500ms, 30s"],
    [["--strategy", "drop"], "not one of queue, skip, cancel-running, round-robin"],
    [["--on-lost", "ignore"], "not one of crash, retry"],
  ] as const)("refuses %j", async ([words, said], { expect }) => {
    let written = "";
    const err = (text: string): void => {
      written += text;
    };
    const streams = { out: () => {}, err };
    const line = ["deployment", "flow-control", "a/b", ...words];
    expect(await runCli({ words: line, environment: {}, streams })).toBe(2);
    expect(written).toContain(said);
  });

  it.for([
    [{ off: true, limit: 2 }, "--off takes the limit by key away, and --limit sets it."],
    [{ debounceKey: "parameters.x" }, "nothing holds them back"],
    [{ throttle: "none", throttleKey: "parameters.x" }, "nothing holds them back"],
  ] as const)("refuses %j together", ([said, error], { expect }) => {
    expect(() => controlOf(NO_FLOW_CONTROL, { ...NOTHING, ...said })).toThrow(error);
  });
});

it.for([
  ["500ms", 500],
  ["5s", 5_000],
  ["1h 30m", 5_400_000],
  ["90", 90_000],
  ["0.5", 500],
] as const)("%s is a span of %i ms", ([given, spanMs], { expect }) => {
  expect(readSpan(given)).toBe(spanMs);
});
