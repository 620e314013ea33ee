import { describe, it } from "vitest";
import { z } from "zod";
import { parseLax } from "../../worker/lax.ts";
import { call } from "./support/api.ts";

const Page = z.object({
  limit: z.int().min(0).max(200),
  half: z.number().nullish(),
  active: z.boolean().nullish(),
  name: z.string().nullish(),
  inner: z.array(z.object({ on: z.boolean() })).nullish(),
});

describe("a value that is refused is taken for what was meant", () => {
  it.for<[given: unknown, meant: unknown]>([
    [{ limit: "5" }, { limit: 5 }],
    [{ limit: " 5 " }, { limit: 5 }],
    [
      { limit: 1, half: "0.5" },
      { limit: 1, half: 0.5 },
    ],
    [
      { limit: 1, active: "yes" },
      { limit: 1, active: true },
    ],
    [
      { limit: 1, active: "OFF" },
      { limit: 1, active: false },
    ],
    [
      { limit: 1, active: 1 },
      { limit: 1, active: true },
    ],
    [
      { limit: 1, inner: [{ on: true }, { on: "f" }] },
      { limit: 1, inner: [{ on: true }, { on: false }] },
    ],
  ])("%j is %j", ([given, meant], { expect }) => {
    const before = structuredClone(given);
    expect(parseLax(Page, given)).toEqual({ success: true, data: meant });
    expect(given).toEqual(before);
  });

  it.for<[given: unknown, refusal: string]>([
    [{ limit: "five" }, "limit"],
    [{ limit: "" }, "limit"],
    [{ limit: "500" }, "limit"],
    [{ limit: "0.5" }, "limit"],
    [{ limit: true }, "limit"],
    [{ limit: 1, active: "maybe" }, "active"],
    [{ limit: 1, active: 2 }, "active"],
    [{ limit: 1, name: 5 }, "name"],
    [{ limit: "1", name: 5 }, "limit"],
  ])("but %j is refused for its %s", ([given, refusal], { expect }) => {
    const result = parseLax(Page, given);
    expect(result.error?.issues[0]?.path).toEqual([refusal]);
  });
});

it("a body of null says nothing, and times may be seconds since 1970", async ({ expect }) => {
  expect((await call("POST", "/flows/filter", null)).status).toBe(200);
  const counted = (after_: unknown) =>
    call("POST", "/flow_runs/count", { flow_runs: { start_time: { after_ } }, limit: "5" });
  expect([await counted(1_700_000_000), await counted("soon")].map(({ status }) => status)).toEqual([200, 422]);
});
