import { describe, it } from "vitest";
import { flow, tags, task } from "../../sdk/index.ts";
import { offlineWorld } from "./offline-world.ts";

describe("tags", () => {
  it("are given to all that is called within, beside its own, each once", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step", tags: ["own"] }, async (n: number) => n);
    const child = flow({ name: "child" }, async () => step(1));
    const parent = flow({ name: "parent", tags: ["flow"] }, async () => {
      await step(0);
      await tags(["own", "inner"], async () => {
        await step(2);
        await child();
      });
    });
    await tags(["outer"], () => parent());
    expect(world.runs.map(({ request }) => request.tags)).toEqual([
      ["flow", "outer"],
      ["outer", "own", "inner"],
    ]);
    const given = world.runs.flatMap(({ tasks }) => [...tasks.values()].map((one) => one.tags));
    expect(given).toEqual([
      ["own", "outer"],
      ["own", "outer", "inner"],
      ["own", "outer", "inner"],
    ]);
  });
});

describe("the name of a task run", () => {
  it("may be text with parameters in braces", async ({ expect }) => {
    using world = offlineWorld();
    const load = task(
      { name: "load", taskRunName: "load {table} {options} {more}" },
      async (table: string, _options: object, options = _options) => [table, options],
    );
    const named = task({ name: "n", taskRunName: "of {from}" }, async (from: unknown) => from);
    await flow({ name: "f" }, async () => {
      await load("users", {});
      await named(named.submit(1));
    })();
    expect(world.tasks.map(({ name }) => name).sort()).toEqual(["load users {options} {more}", "of 1", "of of 1"]);
  });
});
