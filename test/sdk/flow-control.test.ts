import { describe, it } from "vitest";
import { flowControlOf, parameterPath } from "../../sdk/flow/flow-control.ts";
import { type FlowControlOptions, flow, setFlowControl } from "../../sdk/index.ts";
import { keyOf } from "../../sdk/protocol/flow-control.ts";

interface Order {
  readonly customer: { readonly id: string };
  readonly lines: readonly { readonly sku: string }[];
}

describe("a selector of a parameter", () => {
  it("is recorded into its path", ({ expect }) => {
    expect(parameterPath((p: Order) => p.customer.id)).toBe("parameters.customer.id");
    expect(parameterPath((p: Order) => p.lines[0]?.sku)).toBe("parameters.lines.0.sku");
  });

  it("is refused when it computes something, since the server could not", ({ expect }) => {
    const wrong: ((p: Order) => unknown)[] = [
      (p) => p,
      () => "ada",
      (p) => `${p.customer.id}`,
      (p) => p.lines.length + 1,
    ];
    for (const selector of wrong) expect(() => parameterPath(selector)).toThrow("names no parameter");
  });

  it("knows the parameters of its flow", ({ expect }) => {
    const ship = flow({ name: "ship" }, async (order: Order) => order);
    const set = (options: FlowControlOptions<Order>) => setFlowControl(ship, "daily", options);
    // @ts-expect-error There is no such parameter.
    const wrong: FlowControlOptions<Order> = { concurrency: { key: (p) => p.tenant } };
    expect([set, wrong]).toHaveLength(2);
  });
});

describe("the options of flow control", () => {
  it("travel with spans in seconds, and null for what was not said", ({ expect }) => {
    const key = (p: Order) => p.customer.id;
    expect(
      flowControlOf({
        concurrency: { key },
        debounce: { wait: "1m" },
        throttle: { key, limit: 3, per: 500 },
        timeToLive: "1h",
      }),
    ).toEqual({
      time_to_live_seconds: 3_600,
      on_lost: null,
      concurrency: { key: "parameters.customer.id", limit: 1, strategy: "queue" },
      debounce: { key: null, seconds: 60 },
      throttle: { key: "parameters.customer.id", limit: 3, seconds: 0.5 },
    });
  });
});

describe("the key of a run", () => {
  const source = { parameters: { customer: { id: "ada", age: 36, none: null }, list: [["x"]] }, tags: ["eu"] };
  it.for([
    [null, ""],
    ["parameters.customer.id", "ada"],
    ["parameters.customer.age", "36"],
    ["parameters.customer.none", "null"],
    ["parameters.customer.missing", "null"],
    ["parameters.customer.id.length", "null"],
    ["parameters.list.0", '["x"]'],
    ["parameters.constructor", "null"],
    ["tags.0", "eu"],
  ] as const)("at %s is %s", ([path, key], { expect }) => {
    expect(keyOf(path, source)).toBe(key);
  });

  it("is short, and two long ones are not mistaken for each other", ({ expect }) => {
    const of = (end: string) => keyOf("parameters.x", { parameters: { x: "a".repeat(1_000) + end }, tags: [] });
    expect(of("1").length).toBeLessThan(250);
    expect(of("1")).not.toBe(of("2"));
  });
});
