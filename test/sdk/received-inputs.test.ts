/** Values that a flow waits for: those that come, those that do not, and those that its schema refuses. */
import { describe, it } from "vitest";
import { z } from "zod";
import { flow, type ReceiveInputOptions, receiveInput } from "../../sdk/index.ts";
import { scripted } from "./scripted-fetch.ts";
import { tinyControlPlane } from "./tiny-control-plane.ts";

/** Receives inputs in a flow to which these were sent, as `[topic, value]`. */
async function received(
  sent: readonly (readonly [topic: string, value: unknown])[],
  topic: string,
  options: Omit<ReceiveInputOptions<unknown>, "withSender">,
  times = 1,
): Promise<unknown[]> {
  await using plane = await tinyControlPlane();
  const kept = sent.map(([name, value], n) => ({ key: `${name}-${n}`, value: JSON.stringify(value) }));
  using _ = scripted(plane, ([, id, , verb], { prefix, exclude_keys }) => {
    if (verb !== "filter") return null;
    const at = "2026-11-21T05:14:31Z";
    return kept
      .filter(({ key }) => key.startsWith(String(prefix)) && !(exclude_keys as string[]).includes(key))
      .map((one) => ({ id: crypto.randomUUID(), created: at, updated: at, flow_run_id: id, sender: null, ...one }))
      .slice(0, 1);
  });
  const main = flow({ name: "asks" }, async () => {
    const values: unknown[] = [];
    for (let n = 0; n < times; n++) {
      values.push(await receiveInput(topic, options).catch((error: unknown) => String(error)));
    }
    return values;
  });
  return await main();
}

describe("receiveInput", () => {
  it("answers the values of its topic in their order, as its schema makes them", async ({ expect }) => {
    const sent = [
      ["day", "2026-11-21"],
      ["word", "x"],
      ["day", "2026-11-22"],
    ] as const;
    const schema = z.coerce.date();
    expect(await received(sent, "day", { schema }, 2)).toEqual([new Date("2026-11-21"), new Date("2026-11-22")]);
  });

  it("throws when nothing has come within its timeout", async ({ expect }) => {
    expect(await received([["word", "x"]], "day", { timeout: "50ms" })).toEqual([
      'TimedOutError: Waiting for an input "day" exceeded its timeout of 50 ms.',
    ]);
  });

  it("throws what its schema has against a value, which counts as received", async ({ expect }) => {
    const sent = [
      ["order", { count: "many" }],
      ["order", { count: 2 }],
    ] as const;
    const [refused, next] = await received(sent, "order", { schema: z.object({ count: z.int() }) }, 2);
    expect(refused).toMatch(/^ParameterError: The input "\S+" is not as its schema wants it\. "count" is "many": /);
    expect(next).toEqual({ count: 2 });
  });

  it("refuses a timeout that is no span, and to be called outside of a flow", async ({ expect }) => {
    const [refused] = await received([], "day", { timeout: "soon" });
    expect(refused).toMatch(/^TypeError: receiveInput\(\) option "timeout" is "soon"/);
    await expect(receiveInput("day")).rejects.toThrow("receiveInput() was called outside of a flow run");
  });
});
