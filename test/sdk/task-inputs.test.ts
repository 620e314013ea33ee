/** What tasks take from other runs: futures and states among their arguments. */
import { describe, it } from "vitest";
import { allowFailure, flow, type State, task } from "../../sdk/index.ts";
import type { TaskReport } from "../../sdk/protocol/run-channel.ts";
import { offlineWorld } from "./offline-world.ts";

describe("futures among the inputs of a task", () => {
  it("are awaited when they are arguments, and recorded as inputs", async ({ expect }) => {
    using world = offlineWorld();
    const one = task({ name: "one" }, async () => 1);
    const add = task({ name: "add" }, async (left: number, rights: readonly number[]) =>
      rights.reduce((sum, right) => sum + right, left),
    );
    const main = flow({ name: "main" }, async () => add(one.submit(), [one.submit(), 5]));

    expect(await world.clock.run(main())).toBe(7);

    const [first, second, sum] = world.tasks;
    expect(sum?.task_inputs).toEqual({
      left: [{ input_type: "task_run", id: first?.id }],
      rights: [{ input_type: "task_run", id: second?.id }],
    });
  });

  it("that failed keep those that need them from starting, as NotReady", async ({ expect }) => {
    using world = offlineWorld();
    let started = false;
    const bad = task({ name: "bad" }, async (): Promise<number> => {
      throw new Error("no");
    });
    const use = task({ name: "use" }, async (n: number) => {
      started = true;
      return n;
    });
    const main = flow({ name: "main" }, async () => use.submit(bad.submit()).result());

    await expect(world.clock.run(main())).rejects.toMatchObject({
      name: "UpstreamFailedError",
      cause: { message: "no" },
    });

    expect(started).toBe(false);
    const used = world.tasks.find((one) => one.name === "use-0");
    expect(used?.states.at(-1)).toMatchObject({ type: "PENDING", name: "NotReady" });
  });

  it("stand beside the task that called it", async ({ expect }) => {
    using world = offlineWorld();
    const inner = task({ name: "inner" }, async () => 1);
    const outer = task({ name: "outer" }, async () => inner());
    await world.clock.run(flow({ name: "main" }, async () => outer())());
    const [first, second] = world.tasks;
    expect([first?.name, second?.name]).toEqual(["outer-0", "inner-0"]);
    expect(second?.task_inputs).toEqual({ __parents__: [{ input_type: "task_run", id: first?.id }] });
  });
});

describe("the inputs of a task", () => {
  it("may be futures deep within them, which are told beside the task that called it", async ({ expect }) => {
    using world = offlineWorld();
    const one = task({ name: "one" }, async () => 1);
    const add = task({ name: "add" }, async (given: { a: { b: { c: unknown }[] } }) => given.a.b[0]?.c);
    const outer = task({ name: "outer" }, async () => add({ a: { b: [{ c: one.submit() }] } } as never));
    expect(await world.execute(() => flow({ name: "main" }, async () => outer())())).toBe(1);
    const idOf = (name: string): string | undefined => world.tasks.find((run) => run.name === name)?.id;
    expect(world.tasks.find(({ name }) => name === "add-0")?.task_inputs).toEqual({
      given: [{ input_type: "task_run", id: idOf("one-0") }],
      __parents__: [{ input_type: "task_run", id: idOf("outer-0") }],
    });
  });
});

describe("a state among the inputs of a task", () => {
  const halve = task({ name: "halve" }, async (n: number) => {
    if (n % 2 === 1) throw new RangeError("odd");
    return n / 2;
  });
  const sum = task({ name: "sum" }, async (first: number, rest: readonly number[]) =>
    rest.reduce((total, one) => total + one, first),
  );
  const nameLast = (world: { tasks: readonly TaskReport[] }): string | undefined =>
    world.tasks.at(-1)?.states.at(-1)?.name;

  it("stands for the result of its run, and is recorded as where that came from", async ({ expect }) => {
    using world = offlineWorld();
    const four = flow({ name: "four" }, async () => 4);
    const main = flow({ name: "main" }, async () =>
      sum(await halve.returnState(2), [await halve.returnState(4), await four.returnState(), 10]),
    );
    expect(await world.execute(() => main())).toBe(17);
    const [run] = world.runs;
    const tasks = [...(run?.tasks.values() ?? [])];
    const [first, second] = tasks.filter(({ name }) => name.startsWith("halve"));
    expect(tasks.find(({ name }) => name === "sum-0")?.task_inputs).toEqual({
      first: [{ input_type: "task_run", id: first?.id }],
      // That of a flow run names no task run.
      rest: [{ input_type: "task_run", id: second?.id }],
    });
  });

  it.for<[what: string, act: () => Promise<unknown>]>([
    ["taken", async () => await sum(1, [await halve.returnState(1)])],
    [
      "waited for",
      async () => await sum.withOptions({ waitFor: [await halve.returnState(2), await halve.returnState(1)] })(1, []),
    ],
  ])("keeps the task from starting when it is %s and its run failed", async ([, act], { expect }) => {
    using world = offlineWorld();
    await expect(world.execute(() => flow({ name: "main" }, act)())).rejects.toMatchObject({
      name: "UpstreamFailedError",
      message: 'Upstream run in state "Failed" did not complete.',
      cause: { message: "odd" },
    });
    expect(nameLast(world)).toBe("NotReady");
  });

  it("stands for the error when that is allowed", async ({ expect }) => {
    using world = offlineWorld();
    const tell = task({ name: "tell" }, async (given: number | Error) => String(given));
    const main = flow({ name: "main" }, async () => [
      await tell(allowFailure(await halve.returnState(1))),
      await tell(allowFailure(await halve.returnState(2))),
    ]);
    expect(await world.execute(() => main())).toEqual(["RangeError: odd", "1"]);
    expect(world.tasks.find(({ name }) => name === "tell-0")?.task_inputs).toEqual({
      given: [{ input_type: "task_run", id: world.tasks.find(({ name }) => name === "halve-0")?.id }],
    });
  });

  it("is data like other data where it has no result: read from the API, or copied", async ({ expect }) => {
    using world = offlineWorld();
    const tell = task({ name: "tell" }, async (run: { state: State }) => run.state.message);
    const main = flow({ name: "main" }, async () => tell({ state: { ...(await halve.returnState(1)) } }));
    expect(await world.execute(() => main())).toBe("RangeError: odd");
  });
});
