import { describe, it, vi } from "vitest";
import { sleep } from "../../sdk/flow/clock.ts";
import { exponentialBackoff, flow, type TaskContext, task, taskContext } from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

const tick = (): Promise<void> => new Promise((done) => setTimeout(done, 1));

describe("a task", () => {
  it("goes through Pending, Running and Completed, and is known by its key and number", async ({ expect }) => {
    using world = offlineWorld();
    const double = task({ name: "double", version: "2", tags: ["math"] }, async (n: number) => n * 2);
    const main = flow({ name: "main" }, async () => [await double(1), await double(2)]);

    expect(await world.clock.run(main())).toEqual([2, 4]);

    const [first, second] = world.tasks;
    expect(names(first?.states ?? [])).toEqual(["Pending", "Running", "Completed"]);
    expect(first).toMatchObject({
      name: "double-0",
      dynamic_key: "0",
      task_version: "2",
      tags: ["math"],
      run_count: 1,
    });
    expect(first?.task_key).toMatch(/^double-[0-9a-f]{8}$/);
    expect(second).toMatchObject({ name: "double-1", dynamic_key: "1", task_key: first?.task_key });
  });

  it("has another key when its source is another", async ({ expect }) => {
    using world = offlineWorld();
    const one = task({ name: "step" }, async () => 1);
    const two = task({ name: "step" }, async () => 2);
    await world.clock.run(flow({ name: "main" }, async () => [await one(), await two()])());
    expect(world.tasks[0]?.task_key).not.toBe(world.tasks[1]?.task_key);
  });

  it("runs outside of flows too, with its retries", async ({ expect }) => {
    using world = offlineWorld();
    let attempts = 0;
    const flaky = task({ retries: 1, retryDelay: "1m" }, async () => {
      if (++attempts === 1) throw new Error("once");
      return taskContext().flow;
    });
    expect(await world.clock.run(flaky())).toBeNull();
    expect(world.clock.elapsedMs).toBe(60_000);
  });

  it("may be named by a function of its arguments", async ({ expect }) => {
    using world = offlineWorld();
    const load = task(
      { name: "load", taskRunName: (page: number) => `load page ${page}` },
      async (page: number) => page,
    );
    await world.clock.run(flow({ name: "main" }, async () => load(7))());
    expect(world.tasks[0]?.name).toBe("load page 7");
  });

  it.for([
    [{ retries: -1 }, /Task "x" option "retries" is -1/],
    [{ retryDelay: ["1s", "later"] }, /Task "x" option "retryDelay" is "later"/],
    [{ retryJitterFactor: -1 }, /"retryJitterFactor" is -1/],
    [{ timeout: "forever" }, /"timeout" is "forever"/],
    [{ concurrency: 0 }, /"concurrency" is 0/],
  ] as const)("refuses %o with a sentence", ([options, said], { expect }) => {
    expect(() => task({ name: "x", ...options }, async () => 1)).toThrow(said);
  });
});

describe("retries of a task", () => {
  it.for([
    ["one delay for all", 2, "10s", [10, 10]],
    ["one delay for each", 3, ["1s", 5_000], [1, 5, 5]],
    ["a growing delay", 4, exponentialBackoff({ base: "2s", factor: 3, max: "20s" }), [2, 6, 18, 20]],
    ["a function of the retry's number", 2, (retry: number) => retry * 1_000, [1, 2]],
  ] as const)("wait by %s", async ([, retries, retryDelay, delays], { expect }) => {
    using world = offlineWorld();
    const startedAt: number[] = [];
    const flaky = task({ name: "flaky", retries, retryDelay }, async () => {
      startedAt.push(world.clock.elapsedMs);
      throw new Error("again");
    });
    const main = flow({ name: "main" }, async () => flaky());

    await expect(world.clock.run(main())).rejects.toThrow("again");

    const waits = startedAt.slice(1).map((at, index) => (at - (startedAt[index] ?? 0)) / 1_000);
    expect(waits).toEqual(delays);
    const [report] = world.tasks;
    expect(names(report?.states ?? [])).toEqual([
      "Pending",
      "Running",
      ...delays.flatMap(() => ["AwaitingRetry", "Retrying"]),
      "Failed",
    ]);
    expect(report?.run_count).toBe(retries + 1);
  });

  it("without a delay follow at once, without AwaitingRetry", async ({ expect }) => {
    using world = offlineWorld();
    const counts: number[] = [];
    const flaky = task({ name: "flaky", retries: 2 }, async ({ runCount }) => {
      counts.push(runCount);
      if (runCount < 3) throw new Error("again");
      return "done";
    });

    expect(await world.clock.run(flow({ name: "main" }, async () => flaky())())).toBe("done");

    expect(counts).toEqual([1, 2, 3]);
    expect(names(world.tasks[0]?.states ?? [])).toEqual(["Pending", "Running", "Retrying", "Retrying", "Completed"]);
    expect(world.clock.elapsedMs).toBe(0);
  });

  it("are told of as warnings, and the last failure as an error with its stack", async ({ expect }) => {
    using world = offlineWorld();
    const flaky = task({ name: "flaky", retries: 1, retryDelay: "5s" }, async () => {
      throw new Error("again");
    });
    await expect(world.clock.run(flow({ name: "main" }, async () => flaky())())).rejects.toThrow();
    const ofTask = world.run.logs.filter((line) => line.task_run_id === world.tasks[0]?.id);
    expect(ofTask.map((line) => line.level)).toEqual([30, 40]);
    expect(ofTask[0]?.message).toBe("Attempt 1 of 2 failed; the next starts in 5 s. Error: again");
    expect(ofTask[1]?.message).toMatch(/^Finished in state Failed after 5 s\. Error: again\n\s+at /);
  });
});

it("the delay of a task's retry is drawn anew where it has jitter", async ({ expect }) => {
  using world = offlineWorld();
  const draw = vi.spyOn(Math, "random");
  try {
    const flaky = task({ retries: 2, retryDelay: "10s", retryJitterFactor: 0.5 }, async ({ runCount }) => {
      if (runCount <= 2) throw new Error("once more");
    });
    const spans: number[] = [];
    for (const random of [0.1, 0.9]) {
      draw.mockReturnValue(random);
      const before = world.clock.elapsedMs;
      await world.clock.run(flaky());
      spans.push(world.clock.elapsedMs - before);
    }
    expect(spans[0]).toBeLessThan(20_000);
    expect(spans[1]).toBeGreaterThan(20_000);
  } finally {
    draw.mockRestore();
  }
});

describe("the timeout of a task", () => {
  it("ends each attempt, aborts its signal with the error, and is retried", async ({ expect }) => {
    using world = offlineWorld();
    const reasons: unknown[] = [];
    const slow = task({ name: "slow", timeout: "10s", retries: 1 }, async ({ signal }) => {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        });
      });
    });

    await expect(world.clock.run(flow({ name: "main" }, async () => slow())())).rejects.toThrow(/timeout of 10 s/);

    expect(reasons).toHaveLength(2);
    expect(reasons[0]).toMatchObject({ name: "TimedOutError" });
    expect(names(world.tasks[0]?.states ?? [])).toEqual(["Pending", "Running", "Retrying", "TimedOut"]);
    expect(world.clock.elapsedMs).toBe(20_000);
    expect(world.clock.waiting).toBe(0);
  });

  it("leaves the signal of its flow alone", async ({ expect }) => {
    using world = offlineWorld();
    const slow = task({ name: "slow", timeout: "1s" }, async () => new Promise(() => undefined));
    const main = flow({ name: "main" }, async (_: object, { signal }) => {
      await slow().catch(() => undefined);
      return signal.aborted;
    });
    expect(await world.clock.run(main({}))).toBe(false);
  });
});

describe("futures", () => {
  it("answer result, state and end, and a failure that nobody asks for harms nobody", async ({ expect }) => {
    using world = offlineWorld();
    const check = task({ name: "check" }, async (n: number) => {
      if (n < 0) throw new Error("negative");
      return n;
    });
    const main = flow({ name: "main" }, async () => {
      const good = check.submit(1);
      const bad = check.submit(-1);
      return [await good.result(), (await good.wait())?.name, (await bad.wait())?.name, bad.state()?.message];
    });
    expect(await world.clock.run(main())).toEqual([1, "Completed", "Failed", "Error: negative"]);
  });
});

describe("map", () => {
  const pages = task({ name: "pages" }, async () => [1, 2]);
  const page = task({ name: "page" }, async (n: number) => n);

  it.for<[what: string, items: () => unknown, said: string]>([
    ["a future of a list", () => pages.submit(), "a future: await its list, page.map(await future.result())."],
    ["a state of a list", () => pages.returnState(), "a state: take its list, page.map(state.result())."],
    ["no list", () => 5, "of the type number: give a list, or something else that can be iterated."],
    ["nothing", () => null, "null: give a list, or something else that can be iterated."],
  ])("refuses %s, and says what to write", async ([, items, said], { expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main" }, async () => page.map((await items()) as Iterable<number>).results());
    await expect(world.execute(() => main())).rejects.toThrow(
      new TypeError(`The items of map() of task "page" are ${said}`),
    );
  });

  it("takes the list of a task that it waits for, with that task among its inputs", async ({ expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main" }, async () => {
      const list = pages.submit();
      return page.withOptions({ waitFor: [list] }).map(await list.result());
    });
    expect(await world.execute(() => main())).toEqual([1, 2]);
    expect(world.tasks[1]?.task_inputs).toEqual({ wait_for: [{ input_type: "task_run", id: world.tasks[0]?.id }] });
  });

  it("answers results in the order of the items, whatever ends first", async ({ expect }) => {
    using world = offlineWorld();
    const slowFirst = task({ name: "step" }, async (n: number, factor: number) => {
      for (let turns = 0; turns < 5 - n; turns++) await tick();
      return n * factor;
    });
    const main = flow({ name: "main" }, async () => slowFirst.map([0, 1, 2, 3, 4], 10).results());
    expect(await world.clock.run(main())).toEqual([0, 10, 20, 30, 40]);
  });

  it.for([
    ["the flow's concurrency", { flow: 3, task: undefined }, 3],
    ["the task's concurrency", { flow: 8, task: 2 }, 2],
    ["32 by default", { flow: undefined, task: undefined }, 32],
  ] as const)("runs no more at once than %s", async ([, bounds, most], { expect }) => {
    using world = offlineWorld();
    let now = 0;
    let peak = 0;
    const step = task({ name: "step", ...(bounds.task ? { concurrency: bounds.task } : {}) }, async (_: number) => {
      peak = Math.max(peak, ++now);
      await tick();
      now--;
    });
    const main = flow({ name: "main", ...(bounds.flow ? { concurrency: bounds.flow } : {}) }, async () => {
      await step.map(Array.from({ length: 100 }, (_, index) => index)).results();
    });
    await world.clock.run(main());
    expect(peak).toBe(most);
    expect(world.tasks).toHaveLength(100);
  });

  it("does not lock up when mapped tasks map tasks of their own", async ({ expect }) => {
    using world = offlineWorld();
    const leaf = task({ name: "leaf" }, async (n: number) => n);
    const branch = task({ name: "branch" }, async (n: number) => leaf.map([n, n + 1]).results());
    const main = flow({ name: "main", concurrency: 1 }, async () => branch.map([1, 10]).results());
    expect(await world.clock.run(main())).toEqual([
      [1, 2],
      [10, 11],
    ]);
  });

  it("throws the first item's failure when all have ended", async ({ expect }) => {
    using world = offlineWorld();
    let ended = 0;
    const check = task({ name: "check" }, async (n: number) => {
      await tick();
      ended++;
      if (n % 2 === 1) throw new Error(`odd ${n}`);
    });
    const main = flow({ name: "main" }, async () => check.map([0, 1, 2, 3]).results());
    await expect(world.clock.run(main())).rejects.toThrow("odd 1");
    expect(ended).toBe(4);
  });

  it("answers with the failure of the first item that failed, when all have ended", async ({ expect }) => {
    using world = offlineWorld();
    let ended = 0;
    const step = task({ name: "step" }, async (seconds: number) => {
      await sleep(world.clock, seconds * 1_000, new AbortController().signal);
      ended++;
      if (seconds < 5) throw new Error(`after ${seconds} s`);
    });
    const main = flow({ name: "main" }, async () => {
      await expect(step.map([3, 1, 7]).results()).rejects.toThrow("after 3 s");
      expect(ended).toBe(3);
    });
    await world.clock.run(main());
  });

  it("stops what has not ended when the flow fails", async ({ expect }) => {
    using world = offlineWorld();
    const wait = task({ name: "wait" }, async (_: number, { signal }) => {
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const main = flow({ name: "main", concurrency: 1 }, async () => {
      wait.map([1, 2]);
      await tick();
      throw new Error("enough");
    });
    await expect(world.clock.run(main())).rejects.toThrow("enough");
    expect(world.tasks.map((one) => one.states.at(-1)?.name)).toEqual(["Cancelled", "Cancelled"]);
    expect(world.clock.waiting).toBe(0);
  });

  it("takes ten thousand items without a warning or a pause", { timeout: 60_000 }, async ({ expect }) => {
    using world = offlineWorld();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const same = task({ name: "same" }, async (n: number) => n);
    const main = flow({ name: "main" }, async () =>
      same.map(Array.from({ length: 10_000 }, (_, index) => index)).results(),
    );
    const results = await world.clock.run(main());
    await tick();
    process.off("warning", onWarning);
    expect(results).toHaveLength(10_000);
    expect(warnings).toEqual([]);
  });
});

describe("the context behind a task's arguments", () => {
  it.for([
    ["a pattern", task(async (n: number, { runCount }) => [n, runCount]), [5, 1]],
    [
      "a pattern behind a default",
      task(async (n: number | undefined = 2, { runCount }: TaskContext) => [n, runCount]),
      [5, 1],
    ],
    ["the name ctx", task(async (n: number, ctx: TaskContext) => [n, ctx.runCount]), [5, 1]],
  ] as const)("comes by %s", async ([, run, expected], { expect }) => {
    using world = offlineWorld();
    const call = run as (n: number) => Promise<unknown>;
    expect(await world.clock.run(call(5))).toEqual(expected);
  });

  it("does not fill parameters that were left out", async ({ expect }) => {
    using world = offlineWorld();
    const optional = task(async (a: number, b?: string) => [a, b]);
    const withDefault = task(async (a: number, b: string | undefined = "x") => [a, b]);
    const rest = task(async (...all: number[]) => all);
    const pattern = task(async ({ a }: { a: number }) => a);
    expect(await world.clock.run(optional(1))).toEqual([1, undefined]);
    expect(await world.clock.run(withDefault(1))).toEqual([1, "x"]);
    expect(await world.clock.run(rest(1, 2))).toEqual([1, 2]);
    expect(await world.clock.run(pattern({ a: 3 }))).toBe(3);
  });
});
