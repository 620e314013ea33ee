import { describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { artifacts, type CommitMode, flow, INPUTS, memoryStorage, task, transaction } from "../../sdk/index.ts";
import { offlineWorld } from "./offline-world.ts";

const step = (seen: string[], name: string) =>
  task(
    { name, onCommit: () => void seen.push(`commit ${name}`), onRollback: () => void seen.push(`undo ${name}`) },
    async (fails: boolean = false) => {
      seen.push(name);
      if (fails) throw new Error("no");
    },
  );

describe("a transaction", () => {
  it("commits its tasks at its end, in their order", async ({ expect }) => {
    using _ = offlineWorld();
    const seen: string[] = [];
    const [a, b] = [step(seen, "a"), step(seen, "b")];
    await flow({ name: "f" }, () =>
      transaction(async () => {
        await a();
        await b();
      }),
    )();
    expect(seen).toEqual(["a", "b", "commit a", "commit b"]);
  });

  it("undoes the tasks that had completed, the last one first, when it throws", async ({ expect }) => {
    using _ = offlineWorld();
    const seen: string[] = [];
    const [a, b, c] = [step(seen, "a"), step(seen, "b"), step(seen, "c")];
    const made = flow({ name: "f" }, () =>
      transaction(async () => {
        await a();
        await b.submit().result();
        await c(true);
      }),
    );
    await expect(made()).rejects.toThrow("no");
    expect(seen).toEqual(["a", "b", "c", "undo b", "undo a"]);
  });

  it.for<[mode: CommitMode, seen: string[]]>([
    ["lazy", ["a", "b", "undo a"]],
    ["eager", ["a", "commit a", "b"]],
    ["off", ["a", "b"]],
  ])("inside another one that is undone, with commit %s", async ([commit, wanted], { expect }) => {
    using _ = offlineWorld();
    const seen: string[] = [];
    const [a, b] = [step(seen, "a"), step(seen, "b")];
    const made = flow({ name: "f" }, () =>
      transaction(async () => {
        await transaction({ commit }, () => a());
        await b(true);
      }),
    );
    await expect(made()).rejects.toThrow("no");
    expect(seen).toEqual(wanted);
  });

  it("with commit off is not undone when it fails itself, either", async ({ expect }) => {
    using _ = offlineWorld();
    const seen: string[] = [];
    const [a, b] = [step(seen, "a"), step(seen, "b")];
    const made = flow({ name: "f" }, () =>
      transaction({ commit: "off" }, async () => {
        await a();
        await b(true);
      }),
    );
    await expect(made()).rejects.toThrow("no");
    expect(seen).toEqual(["a", "b"]);
  });

  it("has values, seen by hooks and by transactions within it", async ({ expect }) => {
    using _ = offlineWorld();
    const seen: unknown[] = [];
    const made = task({ name: "t", onRollback: (tx) => void seen.push(tx.get("path")) }, async () => undefined);
    const f = flow({ name: "f" }, () =>
      transaction(async (outer) => {
        outer.set("path", "/a");
        await transaction(async (inner) => void seen.push(inner.get("path"), inner.get("none")));
        await made();
        throw new Error("no");
      }),
    );
    await expect(f()).rejects.toThrow("no");
    expect(seen).toEqual(["/a", undefined, "/a"]);
  });

  it("that is undone forgets the results that its tasks had stored", async ({ expect }) => {
    using _ = offlineWorld();
    const restore = configure({ results: { storage: memoryStorage() } });
    let count = 0;
    const cached = task({ name: "cached", cache: INPUTS }, async () => ++count);
    const f = flow({ name: "f" }, async (given: { fails: boolean }) =>
      transaction(async () => {
        const answer = await cached();
        if (given.fails) throw new Error("no");
        return answer;
      }),
    );
    await expect(f({ fails: true })).rejects.toThrow("no");
    expect(await f({ fails: false })).toBe(2);
    expect(await f({ fails: false })).toBe(2);
    restore();
  });

  it("that is undone undoes what tasks took from the cache, too", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const cached = task(
      {
        name: "cached",
        cache: INPUTS,
        onRollback: () => void seen.push("undo"),
        onCommit: () => void seen.push("commit"),
      },
      async () => void seen.push("made"),
    );
    const f = flow({ name: "f" }, async (given: { fails: boolean }) =>
      transaction(async () => {
        await cached();
        if (given.fails) throw new Error("no");
      }),
    );
    await world.execute(() => f({ fails: false }));
    await expect(world.execute(() => f({ fails: true }))).rejects.toThrow("no");
    await world.execute(() => f({ fails: false }));
    expect(seen).toEqual(["made", "commit", "undo", "made", "commit"]);
  });

  it("calls all hooks although one fails, and logs that one", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const a = step(seen, "a");
    const breaks = task(
      {
        name: "breaks",
        onRollback: () => {
          throw new Error("cannot be undone");
        },
      },
      async () => undefined,
    );
    const f = flow({ name: "f" }, () =>
      transaction(async () => {
        await a();
        await breaks();
        throw new Error("no");
      }),
    );
    await expect(f()).rejects.toThrow("no");
    expect(seen).toEqual(["a", "undo a"]);
    expect(world.run.logs.map(({ message }) => message).join()).toContain("cannot be undone");
  });

  it("is a single task's own, where there is none", async ({ expect }) => {
    using _ = offlineWorld();
    const seen: string[] = [];
    await flow({ name: "f" }, async () => void (await step(seen, "a")()))();
    expect(seen).toEqual(["a", "commit a"]);
  });
});

describe("artifacts", () => {
  it("are links, images and a progress that goes on", async ({ expect }) => {
    using world = offlineWorld();
    await flow({ name: "f" }, async () => {
      await artifacts.link({ link: "https://example.com", text: "there" });
      await artifacts.image({ imageUrl: "https://example.com/a.png" });
      const progress = await artifacts.progress({ key: "load", progress: 0 });
      await progress.update(40);
      await expect(progress.update(101)).rejects.toThrow(RangeError);
    })();
    expect(world.run.artifacts.map(({ type, data }) => [type, data])).toEqual([
      ["markdown", "[there](https://example.com)"],
      ["image", "https://example.com/a.png"],
      ["progress", 40],
    ]);
  });
});
