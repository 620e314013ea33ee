/** Results in an R2 bucket that is bound to a Worker, in the real runtime. */
import { env } from "cloudflare:workers";
import { it } from "vitest";
import { flow, INPUTS, r2Storage, task } from "../../sdk/index.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** See vitest.config.ts. */
      TEST_RESULTS: R2Bucket;
    }
  }
}

const BYTES = new Uint8Array([0, 1, 255, 10]);

it("r2Storage keeps results in a bound bucket, below its prefix", async ({ expect }) => {
  const bucket = env.TEST_RESULTS;
  const results = r2Storage(bucket, { prefix: "/sluice/" });
  expect(await results.read("runs/1")).toBe(null);
  await results.write("runs/1", BYTES.subarray(1));
  expect((await bucket.list()).objects.map(({ key }) => key)).toEqual(["sluice/runs/1"]);
  expect(await results.read("runs/1")).toEqual(BYTES.subarray(1));
  await results.delete("runs/1");
  await results.delete("runs/1");
  expect(await results.read("runs/1")).toBe(null);
});

it("a flow in a Worker takes a cached result from a bound bucket", async ({ expect }) => {
  let calls = 0;
  const double = task(
    { name: "double", cache: { policy: INPUTS }, results: { storage: r2Storage(env.TEST_RESULTS) } },
    async (number: number) => {
      calls++;
      return number * 2;
    },
  );
  const twice = flow({ name: "twice", captureConsole: false }, async () => [await double(2), await double(2)]);
  expect(await twice()).toEqual([4, 4]);
  expect(calls).toBe(1);
});
