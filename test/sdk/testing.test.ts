/** `sluice/testing` as its users have it. */
import { describe, it } from "vitest";
import {
  ApiUnreachableError,
  exponentialBackoff,
  FlowRunStoppedError,
  flow,
  logger,
  sleep,
  TimedOutError,
  task,
} from "../../sdk/index.ts";
import {
  cancel,
  crash,
  type Fault,
  fail,
  loseConnection,
  offlineWorld,
  ProcessCrashedError,
  stateNames,
  TEST_START,
  TestClock,
} from "../../sdk/testing/index.ts";

describe("a world without a server", () => {
  it("takes no time for retries, sleeps and timeouts", async ({ expect }) => {
    using world = offlineWorld();
    const startedAt = performance.now();
    const flaky = task({ name: "flaky", retries: 3, retryDelay: exponentialBackoff({ factor: 60 }) }, async () => "ok");
    const stuck = task({ name: "stuck", timeout: "2h" }, () => new Promise<never>(() => undefined));
    const made = flow({ name: "slow" }, async () => {
      await sleep("1d");
      const value = await flaky();
      await stuck().catch((error: unknown) => expect(error).toBeInstanceOf(TimedOutError));
      return value;
    });
    world.onTask("flaky", { attempt: 1 }, fail());
    world.onTask("flaky", { attempt: 2 }, fail());
    expect(await world.execute(() => made())).toBe("ok");
    expect(world.clock.elapsedMs).toBe((24 + 2) * 3_600_000 + 61_000);
    expect(world.clock.waiting).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it("records states, task runs and logs", async ({ expect }) => {
    using world = offlineWorld({ start: new Date("2027-01-01") });
    const greet = task({ name: "greet" }, async (name: string) => {
      logger().info(`Hello, ${name}!`);
      logger().debug("Not kept.");
    });
    await world.execute(() => flow({ name: "greets" }, async () => greet("you"))());
    expect(stateNames(world.run.states)).toEqual(["Pending", "Running", "Completed"]);
    expect(world.tasks.map(({ name, states }) => [name, ...stateNames(states)])).toEqual([
      ["greet-0", "Pending", "Running", "Completed"],
    ]);
    expect(world.run.logs.map(({ message }) => message)).toEqual(["Hello, you!"]);
    expect(world.run.states[0]?.timestamp).toBe("2027-01-01T00:00:00.000000Z");
  });

  it("says how many runs there were where one was meant", async ({ expect }) => {
    using world = offlineWorld();
    expect(() => world.run).toThrow("0 flow runs were made, not one. Look at `world.runs`.");
    await expect(world.continueRun(flow({ name: "f" }, async () => 1))).rejects.toThrow(
      "There is no flow run to continue.",
    );
  });

  it("says that work does not end which waits for something else", async ({ expect }) => {
    using world = offlineWorld();
    const work = world.execute(() => new Promise(() => undefined), { deadlineMs: 30 });
    await expect(work).rejects.toThrow("The work has not ended within 30 ms, and 0 timers of this clock wait.");
  });

  it("gives work that also waits for the machine the time that it asks for", async ({ expect }) => {
    using world = offlineWorld();
    let takesMs: number | null = 20;
    const fetches = task({ name: "fetches", timeout: "30s" }, async () => {
      await new Promise((done) => takesMs !== null && setTimeout(done, takesMs));
      return "fetched";
    });
    const made = flow({ name: "f" }, async () => fetches());
    expect(await world.execute(() => made(), { idleMs: 300 })).toBe("fetched");
    // Longer than any turn of a busy machine.
    takesMs = null;
    await expect(world.execute(() => made())).rejects.toThrow("exceeded its timeout of 30 s");
  });
});

describe("a fault", () => {
  it.for<[title: string, point: Parameters<ReturnType<typeof offlineWorld>["onTask"]>[1], wanted: string[]]>([
    ["every attempt", {}, ["1.1", "1.2", "2.1", "2.2"]],
    ["the second attempt", { attempt: 2 }, []],
    ["the first attempt of the second call", { call: 2, attempt: 1 }, ["2.1"]],
    ["the second call after its code", { call: 2, attempt: 1, moment: "after" }, ["2.1"]],
  ])("strikes %s", async ([, point, wanted], { expect }) => {
    using world = offlineWorld();
    const ran: string[] = [];
    const struck: string[] = [];
    const step = task({ name: "step", retries: 1, onFailure: () => undefined }, async (n: number, { runCount }) => {
      ran.push(`${n}.${runCount}`);
      return n;
    });
    world.onTask("step", point, fail(new Error("struck")));
    const made = flow({ name: "f" }, async () => {
      for (const n of [1, 2]) await step(n).catch(() => undefined);
    });
    await world.execute(() => made());
    for (const [index, { states }] of world.tasks.entries()) {
      const failed = states.filter(({ message }) => message?.includes("struck"));
      failed.forEach((_, at) => void struck.push(`${index + 1}.${at + 1}`));
    }
    expect(struck).toEqual(wanted);
    expect(ran.includes("2.1")).toBe(!wanted.includes("2.1") || point.moment === "after");
  });

  it("crashes the process, whose run is then continued after what was stored", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    const ran: string[] = [];
    const extract = task({ name: "extract" }, async () => void ran.push("extract"));
    const load = task({ name: "load" }, async () => void ran.push("load"));
    const etl = flow({ name: "etl" }, async () => {
      await extract();
      await load();
      return "done";
    });
    world.onTask("load", { moment: "after" }, crash());
    await expect(world.execute(() => etl())).rejects.toThrow(ProcessCrashedError);
    expect(stateNames(world.run.states)).toEqual(["Pending", "Running"]);
    expect(await world.continueRun(etl)).toBe("done");
    expect(ran).toEqual(["extract", "load", "load"]);
    expect(world.runs.map(({ run }) => run.id)).toEqual([world.runs[0]?.run.id, world.runs[0]?.run.id]);
  });

  it("leaves code of the dead process nothing that reaches the next one", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    let wake = (): void => undefined;
    let lives = 0;
    const lingers = task({ name: "lingers" }, async () => {
      if (++lives === 1) await new Promise<void>((done) => (wake = done));
      return lives;
    });
    const dies = task({ name: "dies" }, async () => (lives === 1 ? world.crash() : "lives"));
    const made = flow({ name: "f" }, async () => Promise.all([lingers(), dies()]));
    await expect(world.execute(() => made())).rejects.toThrow(ProcessCrashedError);
    wake();
    expect(await world.continueRun(made)).toEqual([2, "lives"]);
  });

  it.for<[name: string, fault: Fault, error: new (...args: never[]) => Error]>([
    ["cancels the run", cancel(), FlowRunStoppedError],
    ["loses the owner of the run", loseConnection(), ApiUnreachableError],
  ])("%s, and the call throws", async ([, fault, error], { expect }) => {
    using world = offlineWorld();
    let aborted = false;
    const waits = task({ name: "waits" }, async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))).catch(
        (reason) => {
          aborted = true;
          throw reason;
        },
      );
    });
    const strikes = task({ name: "strikes" }, async () => expect.unreachable());
    world.onTask("strikes", {}, fault);
    const made = flow({ name: "f" }, async () => {
      waits.submit();
      await sleep("1s");
      await strikes();
    });
    await expect(world.execute(() => made())).rejects.toThrow(error);
    expect(aborted).toBe(true);
  });
});

describe("the clock", () => {
  it("goes on by a span, calling what is due at its own moment", async ({ expect }) => {
    const clock = new TestClock();
    const called: number[] = [];
    const again = (): void => {
      called.push(clock.now() - TEST_START);
      if (called.length < 5) clock.after(1_000 as never, again);
    };
    clock.after(1_000 as never, again);
    await clock.advance("2.5s");
    expect(called).toEqual([1_000, 2_000]);
    expect(clock.elapsedMs).toBe(2_500);
    expect(clock.waiting).toBe(1);
  });
});
