/** The SDK's core on workerd: the runtime that has neither files nor processes. */
import { describe, it } from "vitest";
import { flow, INPUTS, logger, sleep, task } from "../../sdk/index.ts";
import { fail, offlineWorld, stateNames } from "../../sdk/testing/index.ts";

describe("the SDK on workerd", () => {
  it("runs a flow with tasks, retries, a cache and logs", async ({ expect }) => {
    let computed = 0;
    const flaky = task({ name: "flaky", retries: 1, retryDelay: 10 }, async (text: string) => text.toUpperCase());
    const square = task({ name: "square", cache: INPUTS }, async (n: number) => {
      computed++;
      await sleep(1);
      logger().info(`The square of ${n} is computed.`);
      return n * n;
    });
    const made = flow({ name: "on-workerd" }, async ({ n }: { n: number }) => {
      const word = await flaky("done");
      const twice = [await square(n), await square(n)];
      return { word, twice, all: await square.map([1, 2, 3]).results() };
    });
    using world = offlineWorld();
    world.onTask("flaky", { attempt: 1 }, fail());
    const result = await world.execute(() => made({ n: 3 }));
    expect({ ...result, computed }).toEqual({ word: "DONE", twice: [9, 9], all: [1, 4, 9], computed: 3 });
    expect(stateNames(world.run.states)).toEqual(["Pending", "Running", "Completed"]);
    expect(world.run.logs.map(({ message }) => message)).toContain("The square of 3 is computed.");
  });

  it("runs one without a clock of a test's, too", async ({ expect }) => {
    const one = task({ name: "one", retries: 1 }, async (_: object, { runCount }) => {
      if (runCount === 1) throw new Error("once more");
      return runCount;
    });
    expect(await flow({ name: "plain" }, async () => one({}))()).toBe(2);
  });
});
