/** What is under way when a run, or the one that called it, is to stop. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "vitest";
import { sleep } from "../../sdk/flow/clock.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import type { RunSession, StopRequest } from "../../sdk/flow/engine/backend.ts";
import { OfflineBackend } from "../../sdk/flow/engine/offline-backend.ts";
import { runFlow } from "../../sdk/flow/engine/run-flow.ts";
import { definitionOf } from "../../sdk/flow/flow.ts";
import { FlowRunStoppedError, flow, task } from "../../sdk/index.ts";
import type { StateCreate } from "../../sdk/protocol/states.ts";
import type { EpochMs } from "../../sdk/protocol/time.ts";
import { eventually } from "../support/eventually.ts";
import { names, offlineWorld } from "./offline-world.ts";

const CANCEL: StopRequest = { action: "cancel", state: null };

/** Waits until it is told to stop, for whatever reason. */
const untilTold = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("a task of a run that is to stop", () => {
  it("does not begin when it is called after that", async ({ expect }) => {
    using world = offlineWorld();
    let began = 0;
    const step = task({ name: "step" }, async () => void began++);
    const deaf = flow({ name: "deaf" }, async () => {
      world.run.stop(CANCEL);
      await expect(step()).rejects.toThrow(FlowRunStoppedError);
    });
    await expect(world.clock.run(deaf())).rejects.toThrow(/Cancelled/);
    expect(began).toBe(0);
    expect(world.tasks.map(({ states }) => names(states))).toEqual([["Pending", "Cancelled"]]);
  });

  it("is left at once while it waits for its retry", async ({ expect }) => {
    using world = offlineWorld();
    const flaky = task({ name: "flaky", retries: 1, retryDelay: "1h" }, async () => {
      throw new Error("again");
    });
    const main = flow({ name: "main" }, async () => {
      flaky.submit();
      await sleep(world.clock, 1_000, new AbortController().signal);
      throw new Error("no");
    });
    await expect(world.clock.run(main())).rejects.toThrow("no");
    expect(world.clock.elapsedMs).toBe(1_000);
    expect(world.tasks.map(({ states }) => names(states))).toEqual([
      ["Pending", "Running", "AwaitingRetry", "Cancelled"],
    ]);
  });

  it("that has a timeout of its own hears of it, too", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step", timeout: "1h" }, async (context) => {
      queueMicrotask(() => world.run.stop(CANCEL));
      await untilTold(context);
    });
    await expect(world.clock.run(flow({ name: "main" }, async () => step())())).rejects.toThrow(/Cancelled/);
    expect(world.clock.elapsedMs).toBe(0);
  });

  it("gives back no slot that it was still waiting for", async ({ expect }) => {
    using world = offlineWorld();
    let running = 0;
    let most = 0;
    const one = task({ name: "one", concurrency: 1 }, async () => {
      most = Math.max(most, ++running);
      await sleep(world.clock, 60_000, new AbortController().signal);
      running--;
    });
    const hasty = flow({ name: "hasty", timeout: "1s" }, async () => one());
    const last = flow({ name: "last" }, async () => {
      await sleep(world.clock, 2_000, new AbortController().signal);
      await one();
    });
    const all = [flow({ name: "first" }, async () => one())(), hasty().catch(() => undefined), last()];
    await world.clock.run(Promise.all(all));
    expect(most).toBe(1);
    expect(world.clock.elapsedMs).toBe(120_000);
  });
});

describe("a run", () => {
  it("that is to stop for one reason does not stop for another", async ({ expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main" }, async (_: object, context) => {
      queueMicrotask(() => {
        world.run.stop(CANCEL);
        world.run.stop({ action: "hand over", dueAt: null, isStuck: false });
      });
      await untilTold(context);
    });
    await expect(world.clock.run(main({}))).rejects.toThrow(/Cancelled/);
    expect(names(world.run.states)).toEqual(["Pending", "Running", "Cancelled"]);
  });

  it("that has to wait before it may begin begins then, or not at all when it is cancelled meanwhile", async ({
    expect,
  }) => {
    for (const isCancelled of [false, true]) {
      using world = offlineWorld();
      const backend = new OfflineBackend({ clock: world.clock, record: true });
      const restore = configure({
        backend: { createFlowRun: async (request) => waiting(await backend.createFlowRun(request)) },
      });
      let began = 0;
      const made = flow({ name: "main" }, async () => void began++)().catch((error: unknown) => error);
      if (isCancelled) {
        await eventually("it is there", () => backend.runs.length > 0);
        await turn();
        backend.runs[0]?.stop(CANCEL);
        expect(await made).toBeInstanceOf(FlowRunStoppedError);
      } else await world.clock.run(made);
      restore();
      expect([began, names(backend.runs[0]?.states ?? []).at(-1)]).toEqual(
        isCancelled ? [0, "Cancelled"] : [1, "Completed"],
      );
      expect(world.clock.elapsedMs).toBe(isCancelled ? 0 : 60_000);
    }
  });
});

/** A session of which some members are others. */
function sessionWith(session: RunSession, others: Partial<Record<keyof RunSession, unknown>>): RunSession {
  return new Proxy(session, {
    get(target, name) {
      const value: unknown = Reflect.get(name in others ? others : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A session that is told to wait for a minute before it may begin. */
function waiting(session: RunSession): RunSession {
  let asked = 0;
  return sessionWith(session, {
    propose: async (state: StateCreate) =>
      state.type === "RUNNING" && asked++ === 0
        ? { status: "WAIT", state: null, details: { type: "wait_details", delay_seconds: 60, reason: "Not yet." } }
        : await session.propose(state),
  });
}

it("a task does not begin while too much of its run is on its way to the control plane", async ({ expect }) => {
  using world = offlineWorld();
  const backend = new OfflineBackend({ clock: world.clock, record: true });
  const stored = Promise.withResolvers<void>();
  let asked = 0;
  const ready = (): Promise<void> => {
    asked++;
    return stored.promise;
  };
  const restore = configure({
    backend: { createFlowRun: async (request) => sessionWith(await backend.createFlowRun(request), { ready }) },
  });
  let began = 0;
  const step = task({ name: "step" }, async () => void began++);
  const made = flow({ name: "main" }, async () => step())();
  await eventually("it is asked", () => asked === 1);
  await turn();
  expect(began).toBe(0);
  stored.resolve();
  await made;
  restore();
  expect(began).toBe(1);
});

it("a flow that is cleaning up after a cancellation is not ended by its timeout", async ({ expect }) => {
  using world = offlineWorld();
  const deaf = flow({ name: "deaf", timeout: "2s" }, async () => {
    world.clock.after(1_000 as never, () => world.run.stop(CANCEL));
    await new Promise(() => undefined);
  });
  await expect(world.clock.run(deaf())).rejects.toThrow(/Cancelled/);
  expect([world.clock.elapsedMs, world.clock.waiting]).toEqual([6_000, 0]);
});

describe("a flow that another one called", () => {
  const pair = (world: ReturnType<typeof offlineWorld>, request: StopRequest) => {
    const child = flow({ name: "child" }, async (_: object, context) => {
      queueMicrotask(() => world.runs[0]?.stop(request));
      await untilTold(context);
    });
    return flow({ name: "parent" }, async () => child({}));
  };

  it("is cancelled with it", async ({ expect }) => {
    using world = offlineWorld();
    await expect(world.clock.run(pair(world, CANCEL)())).rejects.toThrow(/Cancelled/);
    expect(world.runs.map(({ states }) => names(states))).toEqual([
      ["Pending", "Running", "Cancelled"],
      ["Pending", "Running", "Cancelled"],
    ]);
  });

  it("does not begin when that one was to stop before", async ({ expect }) => {
    using world = offlineWorld();
    let began = 0;
    const child = flow({ name: "child" }, async () => void began++);
    const parent = flow({ name: "parent" }, async () => {
      world.run.stop(CANCEL);
      await child();
    });
    await expect(world.clock.run(parent())).rejects.toThrow(/Cancelled/);
    expect(began).toBe(0);
    expect(names(world.runs[1]?.states ?? []).at(-1)).toBe("Cancelled");
  });

  it("is cancelled when its time is over", async ({ expect }) => {
    using world = offlineWorld();
    const child = flow({ name: "child" }, (_: object, context) => untilTold(context));
    const parent = flow({ name: "parent", timeout: "1s" }, async () => child({}));
    // Calls of flows are named by a hash, which takes time of the machine.
    await expect(world.clock.run(parent(), { idleMs: 50 })).rejects.toThrow("timeout of 1 s");
    expect(world.clock.elapsedMs).toBe(1_000);
    expect(names(world.runs[1]?.states ?? [])).toEqual(["Pending", "Running", "Cancelled"]);
  });

  it.for<[what: string, request: StopRequest]>([
    ["the owner of that one is lost", { action: "lost", error: new Error("nobody is there") }],
    ["another process goes on with that one", { action: "hand over", dueAt: null, isStuck: false }],
  ])("is left as it is when %s", async ([, request], { expect }) => {
    using world = offlineWorld();
    await expect(world.clock.run(pair(world, request)())).rejects.toThrow();
    expect(names(world.runs[1]?.states ?? [])).toEqual(["Pending", "Running"]);
  });
});

describe("a process that hands its run over", () => {
  it("waits for half a second at most for code that does not listen", async ({ expect }) => {
    using world = offlineWorld();
    const main = flow({ name: "main" }, async () => {
      queueMicrotask(() => world.run.stop({ action: "hand over", dueAt: null, isStuck: false }));
      await new Promise(() => undefined);
    });
    await expect(world.clock.run(main())).rejects.toThrow();
    expect(world.clock.elapsedMs).toBe(500);
  });

  it("does not wait for a retry that is due when its time is over", async ({ expect }) => {
    using world = offlineWorld();
    const made = flow({ name: "main", retries: 1, retryDelay: "1h" }, async () => {
      throw new Error("once");
    });
    const definition = definitionOf(made);
    const backend = new OfflineBackend({ clock: world.clock, record: true });
    const { policy, name: flowName } = definition;
    const request = { flowName, flowVersion: null, runName: null, parameters: {}, policy, tags: [], parent: null };
    const session = await backend.createFlowRun(request);
    const startsAt = world.clock.now();
    const budget = { startsAt, closesAt: (startsAt + 8_000) as EpochMs, endsAt: (startsAt + 10_000) as EpochMs };
    await world.clock.run(runFlow(definition, session, {}, world.clock, { limits: { budget } }));
    const { states } = backend.runs[0] ?? { states: [] };
    expect(names(states)).toEqual(["Pending", "Running", "AwaitingRetry", "Continuing"]);
    expect(states.at(-1)?.state_details.scheduled_time).toBe(states.at(-2)?.state_details.scheduled_time);
    expect(world.clock.elapsedMs).toBe(0);
  });

  it("reports nothing of tasks that had not begun", async ({ expect }) => {
    using world = offlineWorld();
    const step = task({ name: "step" }, async (n: number) => n);
    const main = flow({ name: "main" }, async () => {
      world.run.stop({ action: "hand over", dueAt: null, isStuck: false });
      await step(1);
    });
    await expect(world.clock.run(main())).rejects.toThrow();
    expect(world.tasks.flatMap(({ states }) => names(states))).toEqual([]);
    expect(names(world.run.states).at(-1)).toBe("Continuing");
  });
});
