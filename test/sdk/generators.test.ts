/** Flows and tasks whose functions yield, and those that are methods. */
import { describe, it } from "vitest";
import { configure, flow, memoryStorage, task } from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

describe("a generator", () => {
  const made: string[] = [];
  const pages = task({ name: "pages" }, async function* (count: number) {
    for (let page = 0; page < count; page++) {
      made.push(`made ${page}`);
      yield page;
    }
  });
  const inFlow = async <T>(code: () => Promise<T>): Promise<T> => flow({ name: "f" }, code)() as Promise<T>;

  it("answers the list of its items when it is awaited, submitted or mapped", async ({ expect }) => {
    using world = offlineWorld();
    const words = task({ name: "words" }, function* (text: string) {
      yield* text.split(" ");
    });
    const seen = await inFlow(async () => ({
      called: await pages(2),
      submitted: await pages.submit(3).result(),
      mapped: await words.map(["a b", "c"]).results(),
    }));
    expect(seen).toEqual({ called: [0, 1], submitted: [0, 1, 2], mapped: [["a", "b"], ["c"]] });
    for (const { states } of world.tasks) expect(names(states)).toEqual(["Pending", "Running", "Completed"]);
  });

  it("makes an item when it is asked for, in its own task run", async ({ expect }) => {
    using world = offlineWorld();
    made.length = 0;
    await inFlow(async () => {
      for await (const page of pages(3)) made.push(`took ${page}`);
    });
    expect(made).toEqual(["made 0", "took 0", "made 1", "took 1", "made 2", "took 2"]);
    expect(names(world.tasks[0]?.states ?? [])).toEqual(["Pending", "Running", "Completed"]);
  });

  it("is told to return when nobody asks for more, and its run is completed", async ({ expect }) => {
    using world = offlineWorld();
    let isTidy = false;
    const endless = task({ name: "endless" }, async function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isTidy = true;
      }
    });
    await inFlow(async () => {
      for await (const n of endless()) if (n === 2) break;
      const left = endless()[Symbol.asyncIterator]();
      await left.next();
    });
    expect(isTidy).toBe(true);
    expect(world.tasks.map(({ states }) => names(states).at(-1))).toEqual(["Completed", "Completed"]);
  });

  it("passes on what it throws, to whoever asks for the next item", async ({ expect }) => {
    using _ = offlineWorld();
    const broken = task({ name: "broken" }, async function* () {
      yield 1;
      throw new Error("torn");
    });
    const seen: unknown[] = [];
    await inFlow(async () => {
      try {
        for await (const n of broken()) seen.push(n);
      } catch (error) {
        seen.push((error as Error).message);
      }
    });
    expect(seen).toEqual([1, "torn"]);
  });

  it("is restored whole in another attempt of its flow, not when it was left early", async ({ expect }) => {
    using world = offlineWorld();
    const restore = configure({ results: { storage: memoryStorage() } });
    made.length = 0;
    const both = flow({ name: "f", persist: true, retries: 1 }, async (_: object, { runCount }) => {
      const whole: number[] = [];
      for await (const page of pages(2)) whole.push(page);
      for await (const _page of pages(3)) break;
      if (runCount === 1) throw new Error("once more");
      return whole;
    });
    expect(await world.clock.run(both({}))).toEqual([0, 1]);
    expect(made).toEqual(["made 0", "made 1", "made 0", "made 0"]);
    restore();
  });

  it("may be a flow, and one that calls another", async ({ expect }) => {
    using world = offlineWorld();
    const child = flow({ name: "child" }, async function* ({ n }: { n: number }) {
      yield n;
      yield n + 1;
    });
    const parent = flow({ name: "parent" }, async function* () {
      for await (const item of child({ n: 1 })) yield item * 10;
    });
    const seen: number[] = [];
    for await (const item of parent()) seen.push(item);
    expect(seen).toEqual([10, 20]);
    expect(world.runs.map(({ states }) => names(states).at(-1))).toEqual(["Completed", "Completed"]);
    expect(await child({ n: 5 })).toEqual([5, 6]);
  });

  it("is used once", async ({ expect }) => {
    using _ = offlineWorld();
    await inFlow(async () => {
      const call = pages(1);
      await call;
      expect(() => call[Symbol.asyncIterator]()).toThrow("used twice");
    });
  });
});

describe("a method", () => {
  class Shop {
    readonly #rate: number;
    constructor(rate: number) {
      this.#rate = rate;
    }
    /** A field keeps `this` wherever it is called. */
    readonly price = task({ name: "price" }, async (net: number) => net * this.#rate);
    /** A function gets the object that it is called on. */
    readonly total = flow({ name: "total" }, async function (this: Shop, { net }: { net: number }) {
      return (await this.price(net)) + (await this.price.submit(1).result());
    });
  }

  it("is a flow or a task of its object", async ({ expect }) => {
    using _ = offlineWorld();
    expect(await new Shop(2).total({ net: 3 })).toBe(8);
    expect(await new Shop(10).total({ net: 3 })).toBe(40);
  });
});

describe("tasks", () => {
  it("call each other, and run outside of flows", async ({ expect }) => {
    using _ = offlineWorld();
    const inner = task({ name: "inner" }, async (n: number) => n + 1);
    const outer = task({ name: "outer" }, async (n: number) => (await inner(n)) + (await inner.submit(n).result()));
    expect(await outer(1)).toBe(4);
  });
});
