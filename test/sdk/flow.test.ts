import { describe, it } from "vitest";
import { z } from "zod";
import { sleep } from "../../sdk/flow/clock.ts";
import { checkGiven } from "../../sdk/flow/standard-schema.ts";
import { flow, flowContext, logger, ParameterError, task } from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

describe("a flow without a control plane", () => {
  it("answers what its function returns, and goes through Pending, Running and Completed", async ({ expect }) => {
    using world = offlineWorld();
    const hello = flow({ name: "hello" }, async ({ who }: { who: string }) => `Hello ${who}`);

    expect(await world.clock.run(hello({ who: "you" }))).toBe("Hello you");

    expect(names(world.run.states)).toEqual(["Pending", "Running", "Completed"]);
    expect(world.run.request).toMatchObject({ flowName: "hello", parameters: { who: "you" } });
    expect(world.clock.waiting).toBe(0);
  });

  it("throws what its function throws, and ends Failed with the error's message", async ({ expect }) => {
    using world = offlineWorld();
    const error = new RangeError("no such row");
    const broken = flow({ name: "broken" }, async () => {
      throw error;
    });

    await expect(world.clock.run(broken())).rejects.toBe(error);

    expect(names(world.run.states)).toEqual(["Pending", "Running", "Failed"]);
    expect(world.run.states.at(-1)?.message).toBe("RangeError: no such row");
  });

  it("is run again after its delay as often as its retries say, under one run", async ({ expect }) => {
    using world = offlineWorld();
    const counts: number[] = [];
    const flaky = flow({ name: "flaky", retries: 2, retryDelay: "30s" }, async (_: object, { runCount }) => {
      counts.push(runCount);
      if (runCount < 3) throw new Error(`attempt ${runCount}`);
      return runCount;
    });

    expect(await world.clock.run(flaky({}))).toBe(3);

    expect(counts).toEqual([1, 2, 3]);
    expect(names(world.run.states)).toEqual([
      "Pending",
      "Running",
      "AwaitingRetry",
      "Retrying",
      "AwaitingRetry",
      "Retrying",
      "Completed",
    ]);
    expect(world.clock.elapsedMs).toBeGreaterThanOrEqual(60_000);
    expect(world.clock.elapsedMs).toBeLessThan(62_000);
  });

  it("fails with its last error when no retry is left", async ({ expect }) => {
    using world = offlineWorld();
    let attempts = 0;
    const broken = flow({ name: "broken", retries: 1 }, async () => {
      throw new Error(`attempt ${++attempts}`);
    });

    await expect(world.clock.run(broken())).rejects.toThrow("attempt 2");

    expect(names(world.run.states).at(-1)).toBe("Failed");
    expect(attempts).toBe(2);
  });

  it("finds the task runs of its first attempt again in the second", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async (n: number) => n);
    let attempts = 0;
    const flaky = flow({ name: "flaky", retries: 1 }, async () => {
      await step(1);
      if (++attempts === 1) throw new Error("once");
    });

    await world.clock.run(flaky());

    expect(world.tasks).toHaveLength(1);
    expect(names(world.tasks[0]?.states ?? [])).toEqual([
      "Pending",
      "Running",
      "Completed",
      "Pending",
      "Running",
      "Completed",
    ]);
  });

  it("that exceeds its timeout fails as TimedOut, and its signal aborts", async ({ expect }) => {
    using world = offlineWorld();
    let reason: unknown;
    const slow = flow({ name: "slow", timeout: "1m" }, async (_: object, { signal }) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      await new Promise(() => undefined);
    });

    await expect(world.clock.run(slow({}))).rejects.toThrow("exceeded its timeout of 1 min 0 s");

    expect(names(world.run.states).at(-1)).toBe("TimedOut");
    expect(reason).toMatchObject({ name: "TimedOutError", timeoutMs: 60_000 });
    expect(world.clock.elapsedMs).toBe(60_000);
  });

  it("gets parameters as its schema answers them, and the run keeps them as they were given", async ({ expect }) => {
    using world = offlineWorld();
    const typed = flow(
      { name: "typed", parameters: z.object({ since: z.coerce.date(), limit: z.int().default(10) }) },
      async ({ since, limit }) => [since.getUTCFullYear(), limit],
    );

    expect(await world.clock.run(typed({ since: "2026-11-21" }))).toEqual([2026, 10]);

    expect(world.run.run.parameters).toEqual({ since: "2026-11-21" });
  });

  it("is deployed with parameters that are missing, since runs may give them, and not with wrong ones", async ({
    expect,
  }) => {
    const schema = z.object({ day: z.string(), limit: z.int() });
    await expect(checkGiven("typed", schema, { limit: 3 })).resolves.toBeUndefined();
    await expect(checkGiven("typed", schema, { limit: "three" })).rejects.toThrow(
      /^Flow "typed" does not take these parameters\. "limit" is "three": [^;]*$/,
    );
  });

  it("does not tell the values of secret parameters that are refused", async ({ expect }) => {
    const token = z.object({ key: z.string().meta({ format: "password" }) });
    const schema = z.object({ token, limit: z.int() }).refine(() => false, "is never right");
    const given = (limit: unknown) => ({ token: { key: 12345 }, limit });
    const refused = checkGiven("typed", schema, given("three"));
    await expect(refused).rejects.toThrow(/"token\.key" is \*{8}: .*; "limit" is "three": /);
    const whole = flow({ name: "whole", parameters: schema }, async () => 1);
    using _ = offlineWorld();
    await expect(whole({ token: { key: "the secret" }, limit: 3 })).rejects.toThrow(
      / the value is \*{8}: is never right/,
    );
  });

  it("refuses parameters that its schema refuses, by field and value, before a run is made", async ({ expect }) => {
    using world = offlineWorld();
    const typed = flow({ name: "typed", parameters: z.object({ pages: z.object({ first: z.int() }) }) }, async () => 1);

    const call = typed({ pages: { first: "one" as unknown as number } });
    await expect(call).rejects.toThrow(ParameterError);
    await expect(call).rejects.toThrow(/"pages\.first" is "one"/);

    expect(world.runs).toHaveLength(0);
  });

  it.for([
    ["a list", [1], /got \[1\]/],
    ["a bigint", { n: 1n }, /BigInt/],
    ["text", "now", /got "now"/],
  ] as const)("refuses %s as parameters, since they cannot be kept", async ([, given, said], { expect }) => {
    using world = offlineWorld();
    const plain = flow({ name: "plain" }, async (parameters: object) => parameters);
    await expect(plain(given as object)).rejects.toThrow(said);
    expect(world.runs).toHaveLength(0);
  });

  it("uses the default of its parameters when it is called without any", async ({ expect }) => {
    using world = offlineWorld();
    const polite = flow({ name: "polite" }, async ({ who }: { who: string } = { who: "you" }) => who);
    expect(await world.clock.run(polite())).toBe("you");
  });

  it("waits for tasks that nobody awaited before it ends", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async () => {
      await new Promise((done) => setTimeout(done, 5));
    });
    const hasty = flow({ name: "hasty" }, async () => {
      step.submit();
      void step();
    });

    await world.clock.run(hasty());

    expect(world.tasks.map((one) => one.states.at(-1)?.name)).toEqual(["Completed", "Completed"]);
  });

  it("waits for tasks that these start, too", async ({ expect }) => {
    using world = offlineWorld();
    const inner = task({ name: "inner" }, async () => sleep(world.clock, 1_000, new AbortController().signal));
    const outer = task({ name: "outer" }, async () => {
      await sleep(world.clock, 1_000, new AbortController().signal);
      void inner();
    });
    const hasty = flow({ name: "hasty" }, async () => void outer());
    await world.clock.run(hasty());
    expect(world.tasks.map((one) => one.states.at(-1)?.name)).toEqual(["Completed", "Completed"]);
    expect(world.clock.elapsedMs).toBe(2_000);
  });

  it("refuses a task that is called after its end", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async () => 1);
    const late: { call: (() => Promise<number>) | null } = { call: null };
    const hasty = flow({ name: "hasty" }, async () => {
      const { AsyncLocalStorage } = await import("node:async_hooks");
      const inside = AsyncLocalStorage.snapshot();
      late.call = () => inside(() => step());
    });
    await world.clock.run(hasty());
    await expect(late.call?.()).rejects.toThrow(/after its flow run had ended/);
  });

  it("that is called in a flow is a run of its own", async ({ expect }) => {
    using world = offlineWorld();
    const inner = flow({ name: "inner" }, async () => flowContext().flowName);
    const outer = flow({ name: "outer" }, async () => [flowContext().flowName, await inner()]);

    expect(await world.clock.run(outer())).toEqual(["outer", "inner"]);

    expect(world.runs.map((one) => names(one.states).at(-1))).toEqual(["Completed", "Completed"]);
  });

  it("needs a name", ({ expect }) => {
    expect(() => flow(async () => 1)).toThrow(/Give one of 1 to 255 characters/);
    expect(flow(async function daily_report() {}).name).toBe("daily-report");
  });

  it.for([
    [{ retries: -1 }, /"retries" is -1/],
    [{ retries: 1.5 }, /"retries" is 1.5/],
    [{ timeout: "soon" }, /"timeout" is "soon"/],
    [{ retryDelay: -5 }, /"retryDelay" is -5/],
    [{ concurrency: 0 }, /"concurrency" is 0/],
  ] as const)("refuses %o with a sentence", ([options, said], { expect }) => {
    expect(() => flow({ name: "x", ...options }, async () => 1)).toThrow(said);
  });
});

describe("a flow that is stopped from outside", () => {
  it("hears of a cancellation by its signal, and ends Cancelled", async ({ expect }) => {
    using world = offlineWorld();
    let cleanedUp = false;
    const step = task({ name: "step" }, async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const patient = flow({ name: "patient" }, async () => {
      const asked = { action: "cancel", state: world.run.states.at(-1) as never } as const;
      setTimeout(() => world.run.stop(asked), 5);
      try {
        await step();
      } finally {
        cleanedUp = true;
      }
    });

    await expect(world.clock.run(patient())).rejects.toMatchObject({ name: "FlowRunStoppedError" });

    expect(cleanedUp).toBe(true);
    expect(names(world.run.states)).toEqual(["Pending", "Running", "Cancelled"]);
    expect(world.tasks.map((one) => one.states.at(-1)?.name)).toEqual(["Cancelled"]);
    expect(world.clock.waiting).toBe(0);
  });

  it("does not wait for ever for code that does not listen", async ({ expect }) => {
    using world = offlineWorld();
    const deaf = flow({ name: "deaf" }, async () => {
      setTimeout(() => world.run.stop({ action: "cancel", state: world.run.states.at(-1) as never }), 5);
      await new Promise(() => undefined);
    });

    await expect(world.clock.run(deaf())).rejects.toThrow(/Cancelled/);

    expect(world.clock.elapsedMs).toBe(5_000);
  });

  it("is not retried when it waits for its retry", async ({ expect }) => {
    using world = offlineWorld();
    let attempts = 0;
    const flaky = flow({ name: "flaky", retries: 5, retryDelay: "1h" }, async () => {
      attempts++;
      setTimeout(() => world.run.stop({ action: "cancel", state: world.run.states.at(-1) as never }), 0);
      throw new Error("again");
    });
    // Real time: the clock must not jump over the wait before the cancellation.
    await expect(flaky()).rejects.toThrow(/Cancelled/);
    expect(attempts).toBe(1);
  });
});

describe("log lines", () => {
  it("of logger() carry level, fields and the task run they came from", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async (_: number, { logger: own }) => {
      own.warn("row skipped", { row: 3, reason: "no id" });
    });
    const logging = flow({ name: "logging" }, async () => {
      logger().info("begin");
      logger().debug("not kept at level info");
      await step(1);
      logger().error("boom", new Error("why"));
    });

    await world.clock.run(logging());

    const [begin, skipped, boom, ...more] = world.run.logs;
    expect(more).toEqual([]);
    expect(begin).toMatchObject({ level: 20, message: "begin", task_run_id: null, flow_run_id: world.run.run.id });
    expect(skipped).toMatchObject({
      level: 30,
      message: 'row skipped row=3 reason="no id"',
      task_run_id: world.tasks[0]?.id,
    });
    expect(boom?.message).toMatch(/^boom\nError: why\n\s+at /);
  });

  it("are made of what user code writes to the console, which still writes it", async ({ expect }) => {
    using world = offlineWorld();
    const written: unknown[][] = [];
    const before = console.log;
    console.log = (...values: unknown[]) => void written.push(values);
    try {
      const step = task({ name: "step" }, async () => {
        console.log("in task", { a: 1 });
      });
      const talkative = flow({ name: "talkative" }, async () => {
        console.log("in flow");
        await step();
      });
      await world.clock.run(talkative());
      console.log("outside");
    } finally {
      console.log = before;
    }
    expect(written).toEqual([["in flow"], ["in task", { a: 1 }], ["outside"]]);
    expect(world.run.logs.map((line) => [line.name, line.message, line.task_run_id])).toEqual([
      ["console", "in flow", null],
      ["console", "in task { a: 1 }", world.tasks[0]?.id],
    ]);
  });

  it("are made of the console only while a flow runs that wants them: then it is as it was", async ({ expect }) => {
    using world = offlineWorld();
    const before = console.log;
    const one = flow({ name: "one" }, async () => sleep(world.clock, 1_000, new AbortController().signal));
    const two = flow({ name: "two" }, async () => {
      await sleep(world.clock, 2_000, new AbortController().signal);
      expect(console.log).not.toBe(before);
    });
    await world.clock.run(Promise.all([one(), two()]));
    expect(console.log).toBe(before);
  });

  it("are not made of the console of a flow that does not want them, within one that does", async ({ expect }) => {
    using world = offlineWorld();
    const before = console.log;
    console.log = () => undefined;
    try {
      const quiet = flow({ name: "quiet", captureConsole: false }, async () => console.log("kept out"));
      const talkative = flow({ name: "talkative" }, async () => {
        await quiet();
        console.log("kept");
      });
      await world.clock.run(talkative());
    } finally {
      console.log = before;
    }
    expect(world.runs.map(({ logs }) => logs.map(({ message }) => message))).toEqual([["kept"], []]);
  });

  it("are cut where they are longer than the control plane takes", async ({ expect }) => {
    using world = offlineWorld();
    await world.clock.run(flow({ name: "long" }, async () => logger().info("x".repeat(1_000_001)))());
    expect(Buffer.byteLength(world.run.logs[0]?.message ?? "")).toBe(1_000_000);
  });

  it("are not made of the console when the flow says so", async ({ expect }) => {
    using world = offlineWorld();
    const quiet = flow({ name: "quiet", captureConsole: false }, async () => {
      const before = console.log;
      console.log = () => undefined;
      console.log("kept out");
      console.log = before;
    });
    await world.clock.run(quiet());
    expect(world.run.logs).toEqual([]);
  });
});
