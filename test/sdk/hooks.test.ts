import { describe, it } from "vitest";
import type { StopRequest } from "../../sdk/flow/engine/backend.ts";
import { allowFailure, asCompleted, flow, type State, task, transaction } from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

describe("hooks of a flow", () => {
  it.for<[what: string, fails: boolean, called: string[]]>([
    ["completes", false, ["running:Running:1", "completion:Completed:1"]],
    ["fails", true, ["running:Running:1", "running:Retrying:2", "failure:Failed:2"]],
  ])("are called in their order when it %s", async ([, fails, called], { expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const note = (what: string) => (context: { readonly runCount: number }, state: State) =>
      void seen.push(`${what}:${state.name}:${context.runCount}`);
    const made = flow(
      {
        name: "f",
        retries: 1,
        onRunning: note("running"),
        onCompletion: [note("completion")],
        onFailure: note("failure"),
        onCancellation: note("cancellation"),
      },
      async () => {
        if (fails) throw new Error("no");
      },
    );
    await world.clock.run(made().catch(() => undefined));
    expect(seen).toEqual(called);
  });

  it("that fail change nothing of the run, and are logged", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const breaks = (): never => {
      throw new Error("broken hook");
    };
    await flow({ name: "f", onCompletion: [breaks, () => seen.push("second")] }, async () => 1)();
    expect(names(world.run.states).at(-1)).toBe("Completed");
    expect(seen).toEqual(["second"]);
    expect(world.run.logs.map(({ message }) => message).join()).toContain(
      'The hook "breaks" for Completed has failed.',
    );
  });

  it("hear of a cancellation", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const made = flow(
      { name: "f", onCancellation: (_, state) => void seen.push(state.name) },
      async (_: object, { signal }) => {
        world.run.stop({ action: "cancel", state: null });
        signal.throwIfAborted();
      },
    );
    await world.clock.run(made({}).catch(() => undefined));
    expect(seen).toEqual(["Cancelled"]);
  });
});

describe("hooks of a task", () => {
  it("are called at each attempt, and at the end", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const made = task(
      {
        name: "t",
        retries: 1,
        onRunning: (context) => void seen.push(`running ${context.runCount}`),
        onCompletion: (_, state) => void seen.push(state.name),
        onFailure: () => void seen.push("failed"),
      },
      async (fails: number, { runCount }) => {
        if (runCount <= fails) throw new Error("no");
      },
    );
    const f = flow({ name: "f" }, async () => {
      await made(1);
      await made.returnState(2);
    });
    await world.clock.run(f());
    expect(seen).toEqual(["running 1", "running 2", "Completed", "running 1", "running 2", "failed"]);
  });
});

describe("a task", () => {
  it("answers its state in place of throwing", async ({ expect }) => {
    using _ = offlineWorld();
    const made = task({ name: "t" }, async () => {
      throw new RangeError("too far");
    });
    const state = await flow({ name: "f" }, async () => ({ of: await made.returnState() }))();
    expect(state.of).toMatchObject({ type: "FAILED", message: "RangeError: too far" });
    expect(() => state.of.result()).toThrow("too far");
  });

  it("waits for futures that it takes nothing from, and does not run when they fail", async ({ expect }) => {
    using world = offlineWorld();
    const order: string[] = [];
    const slow = task({ name: "slow" }, async (fails: boolean) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push("slow");
      if (fails) throw new Error("no");
    });
    const after = task({ name: "after" }, async () => void order.push("after"));
    const made = flow({ name: "f" }, async (fails: { fails: boolean }) => {
      await after
        .withOptions({ waitFor: [slow.submit(fails.fails)] })
        .submit()
        .wait();
    });
    await made({ fails: false });
    expect(order).toEqual(["slow", "after"]);
    expect(Object.keys(world.tasks.find(({ name }) => name === "after-0")?.task_inputs ?? {})).toEqual(["wait_for"]);
    await made({ fails: true });
    expect(order).toEqual(["slow", "after", "slow"]);
  });

  it("takes the failure of another one when it is allowed", async ({ expect }) => {
    using _ = offlineWorld();
    const fails = task({ name: "fails" }, async (): Promise<number> => {
      throw new Error("no");
    });
    const looks = task({ name: "looks" }, async (given: number | Error) =>
      given instanceof Error ? given.message : "fine",
    );
    expect(await flow({ name: "f" }, async () => looks(allowFailure(fails.submit())))()).toBe("no");
  });

  it("keeps the options that withOptions does not name", async ({ expect }) => {
    using world = offlineWorld();
    const made = task({ name: "t", tags: ["a"], retries: 1 }, async () => 1).withOptions({ name: "u" });
    await flow({ name: "f", tags: ["x"] }, async () => made()).withOptions({ name: "g" })();
    expect(world.run.request).toMatchObject({ flowName: "g", tags: ["x"] });
    expect(world.tasks[0]).toMatchObject({ name: "u-0", tags: ["a"], empirical_policy: { retries: 1 } });
  });
});

describe("asCompleted", () => {
  it("gives futures in the order of their ends", async ({ expect }) => {
    using _ = offlineWorld();
    const waits = task({ name: "waits" }, async (waitMs: number) => {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (waitMs === 1) throw new Error("no");
      return waitMs;
    });
    const made = flow({ name: "f" }, async () => {
      const ended: (string | undefined)[] = [];
      for await (const future of asCompleted(waits.map([60, 1, 30])))
        ended.push(`${future.name} ${future.state()?.name}`);
      return ended;
    });
    expect(await made().catch(String)).toEqual(["waits-1 Failed", "waits-2 Completed", "waits-0 Completed"]);
  });
});

describe("the name of a flow run", () => {
  it.for<[what: string, flowRunName: string | ((given: Record<string, unknown>) => string), name: string]>([
    ["a template", "{who}-{n}-{none}", "Ada-3-{none}"],
    ["a function", ({ who }) => `of ${who}`, "of Ada"],
  ])("is made by %s", async ([, flowRunName, name], { expect }) => {
    using world = offlineWorld();
    const made = flow(
      { name: "f", flowRunName },
      async (_: { who: string; n: number }, context) => context.flowRunName,
    );
    expect(await made({ who: "Ada", n: 3 })).toBe(name);
    expect(world.run.run.name).toBe(name);
  });
});

describe("the hooks of one task run", () => {
  it("come in this order: running, completion, commit; and rolled back, the last task first", async ({ expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const step = task(
      {
        name: "step",
        onRunning: ({ taskRunName }) => void seen.push(`running ${taskRunName}`),
        onCompletion: ({ taskRunName }) => void seen.push(`completion ${taskRunName}`),
        onCommit: (tx) => void seen.push(`commit ${tx.get("which")}`),
        onRollback: (tx) => void seen.push(`rollback ${tx.get("which")}`),
      },
      async (n: number) => n,
    );
    const made = flow({ name: "f" }, async () => {
      await transaction(async (tx) => {
        tx.set("which", "kept");
        await step(1);
      });
      await transaction(async (tx) => {
        tx.set("which", "undone");
        await step(2);
        throw new Error("no");
      }).catch(() => undefined);
    });
    await made();
    expect(seen).toEqual([
      "running step-0",
      "completion step-0",
      "commit kept",
      "running step-1",
      "completion step-1",
      "rollback undone",
    ]);
    expect(world.tasks.map(({ states }) => names(states))).toEqual([
      ["Pending", "Running", "Completed"],
      ["Pending", "Running", "Completed", "RolledBack"],
    ]);
  });

  it.for<[what: string, request: StopRequest["action"], called: string, state: string]>([
    ["is cancelled", "cancel", "cancellation Cancelled", "Cancelled"],
    ["has lost its owner", "lost", "crashed Crashed", "Crashed"],
  ])("tell when its flow %s in the middle", async ([, action, called], { expect }) => {
    using world = offlineWorld();
    const seen: string[] = [];
    const note = (what: string) => (_: unknown, state: State) => void seen.push(`${what} ${state.name}`);
    const step = task(
      {
        name: "step",
        retries: 3,
        onCancellation: note("cancellation"),
        onCrashed: note("crashed"),
        onFailure: note("f"),
      },
      async ({ signal }) => {
        world.run.stop(action === "lost" ? { action, error: new Error("away") } : { action: "cancel", state: null });
        signal.throwIfAborted();
      },
    );
    await world.clock.run(flow({ name: "f" }, async () => step())().catch(() => undefined));
    expect(seen).toEqual([called]);
  });
});
