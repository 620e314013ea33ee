/** Where results are kept, and of which runs: the nearest setting counts. */
import { describe, it } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { sleep as wait } from "../../sdk/flow/clock.ts";
import { OfflineBackend } from "../../sdk/flow/engine/offline-backend.ts";
import { type FlowCall, runFlow } from "../../sdk/flow/engine/run-flow.ts";
import { type AnyFlow, definitionOf } from "../../sdk/flow/flow.ts";
import {
  configure,
  controlPlaneStorage,
  flow,
  INPUTS,
  jsonSerializer,
  type LockManager,
  memoryStorage,
  NotSerialisableError,
  type ResultStorage,
  sleep,
  task,
  transaction,
} from "../../sdk/index.ts";
import type { DeploymentId } from "../../sdk/protocol/ids.ts";
import { ProcessCrashedError } from "../../sdk/testing/index.ts";
import { offlineWorld } from "./offline-world.ts";

/** A storage that tells what was written to it, what was read and what was deleted. */
function noted() {
  const inner = memoryStorage();
  const [written, read, deleted]: [string[], string[], string[]] = [[], [], []];
  return {
    written,
    looked: read,
    deleted,
    write: (key, bytes) => {
      written.push(key);
      return inner.write(key, bytes);
    },
    read: (key) => {
      read.push(key);
      return inner.read(key);
    },
    delete: (key) => {
      deleted.push(key);
      return inner.delete(key);
    },
  } satisfies ResultStorage & Record<string, unknown>;
}

/** Executes a run as one of a deployment, or of none. */
async function execute(made: AnyFlow, deploymentId: string | null, limits: FlowCall["limits"] = {}): Promise<void> {
  using world = offlineWorld();
  const definition = definitionOf(made);
  const { policy, name: flowName } = definition;
  const request = { flowName, flowVersion: null, runName: null, parameters: {}, policy, tags: [], parent: null };
  const session = await new OfflineBackend({ clock: world.clock, record: true }).createFlowRun(request);
  Object.assign(session.run, { deploymentId: deploymentId as DeploymentId | null });
  await world.execute(() => runFlow(definition, session, {}, world.clock, { limits }));
}

const step = task({ name: "step" }, async () => 1);

describe("results of tasks", () => {
  it.for<[what: string, deploymentId: string | null, own: boolean | undefined, kept: number]>([
    ["of a deployment's run", "019ab5c2-0000-7000-8000-000000000001", undefined, 1],
    ["of a deployment's run whose flow does not want it", "019ab5c2-0000-7000-8000-000000000001", false, 0],
    ["of a run of no deployment", null, undefined, 0],
    ["of a run whose flow wants it", null, true, 1],
  ])("%s are kept, or not", async ([, deploymentId, persist, kept], { expect }) => {
    const storage = noted();
    const results = persist === undefined ? {} : { persist };
    await execute(
      flow({ name: "f", ...results }, async () => step()),
      deploymentId,
      { resultStorage: storage },
    );
    expect(storage.written).toHaveLength(kept);
  });

  it("of a flow that another one called are kept as those of that one, unless it says", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    const quiet = flow({ name: "quiet", persist: false }, async () => step());
    const plain = flow({ name: "plain" }, async () => step());
    await world.execute(() => flow({ name: "main" }, async () => [await quiet(), await plain()])());
    const kept = world.runs.map(({ tasks }) => [...tasks.values()].map(({ states }) => states.at(-1)?.data !== null));
    expect(kept).toEqual([[], [false], [true]]);
  });

  it("are kept where the task says, or else the process, or else the settings", async ({ expect }) => {
    const [own, process, settings] = [noted(), noted(), noted()];
    const mine = task({ name: "mine", results: { storage: own } }, async () => 1);
    const restore = configure({ results: { storage: settings, persist: true } });
    await execute(
      flow({ name: "f", persist: true }, async () => [await mine(), await step()]),
      null,
      {
        resultStorage: process,
      },
    );
    restore();
    expect([own, process, settings].map(({ written }) => written.length)).toEqual([1, 1, 0]);
  });

  it("are written as the task says", async ({ expect }) => {
    const storage = noted();
    const serializer = { ...jsonSerializer, name: "mine" };
    const mine = task({ name: "mine", results: { serializer } }, async () => 1);
    await execute(
      flow({ name: "f", persist: true }, async () => mine()),
      null,
      { resultStorage: storage },
    );
    const bytes = await storage.read(storage.written[0] ?? "");
    expect(new TextDecoder().decode(bytes ?? undefined)).toContain('"serializer":"mine"');
  });
});

describe("a stored result", () => {
  it("is not looked for in the first attempt of a run", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    const storage = noted();
    const restore = configure({ results: { storage, persist: true } });
    await world.execute(() => flow({ name: "f" }, async () => step())());
    restore();
    expect([storage.written.length, storage.looked.length]).toEqual([1, 0]);
  });

  it("that cannot be written fails only the task that was told to keep it", async ({ expect }) => {
    using world = offlineWorld({ persist: true });
    const opaque = async () => () => 1;
    const quiet = task({ name: "quiet" }, opaque);
    const told = task({ name: "told", persist: true }, opaque);
    const main = flow({ name: "main" }, async () => {
      expect(typeof (await quiet())).toBe("function");
      await told();
    });
    await expect(world.execute(() => main())).rejects.toThrow(NotSerialisableError);
    expect(world.run.logs.map(({ message }) => message).join()).toContain(
      '"quiet-0" was not kept. NotSerialisableError: result is a function',
    );
  });

  it("of a cached task is kept for its own run, too, and both are forgotten when it is undone", async ({ expect }) => {
    using world = offlineWorld();
    const storage = noted();
    const both = task({ name: "both", persist: true, cache: INPUTS, results: { storage } }, async () => 1);
    const main = flow({ name: "main" }, () =>
      transaction(async () => {
        await both();
        throw new Error("no");
      }),
    );
    await expect(world.execute(() => main())).rejects.toThrow("no");
    expect(storage.written.map((key) => key.split("/")[0]).sort()).toEqual(["cache", "runs"]);
    expect(storage.deleted.sort()).toEqual(storage.written.sort());
  });

  it("in the cache that cannot be read is made anew, and the log says why", async ({ expect }) => {
    using world = offlineWorld();
    const broken: ResultStorage = { ...memoryStorage(), read: async () => Promise.reject(new Error("disk is away")) };
    const cached = task({ name: "cached", cache: INPUTS, results: { storage: broken } }, async () => 1);
    expect(await world.execute(() => flow({ name: "f" }, async () => cached())())).toBe(1);
    expect(world.run.logs.map(({ message }) => message)).toEqual([
      'The cached result of task run "cached-0" was not used, for Error: disk is away.',
    ]);
  });

  it("is locked with what the task says, or else with what the storage has", async ({ expect }) => {
    using world = offlineWorld();
    const locking = (held: string[], name: string): LockManager => ({
      acquire: async () => {
        held.push(`${name} taken`);
        return async () => void held.push(`${name} given back`);
      },
    });
    const held: string[] = [];
    const storage = { ...memoryStorage(), locks: locking(held, "storage's") };
    const cache = { policy: INPUTS, isolation: "serializable" } as const;
    const one = task({ name: "one", cache, results: { storage } }, async () => void held.push("run"));
    const two = one.withOptions({ cache: { ...cache, locks: locking(held, "own") }, name: "two" });
    await world.execute(() => flow({ name: "f" }, async () => [await one(), await two()])());
    expect(held).toEqual(["storage's taken", "run", "storage's given back", "own taken", "run", "own given back"]);
  });
});

describe("results in the control plane", () => {
  const ID = "019ab5c2-0000-7000-8000-000000000001";
  const input = {
    id: ID,
    created: "2026-11-21T00:00:00Z",
    updated: "2026-11-21T00:00:00Z",
    flow_run_id: ID,
    sender: null,
  };
  const storageWith = (key: string) => {
    const sent: string[] = [];
    const answer = async (url: Parameters<typeof fetch>[0]): Promise<Response> => {
      sent.push(String(url));
      return Response.json([{ ...input, key, value: JSON.stringify(btoa("kept")) }]);
    };
    return { sent, storage: controlPlaneStorage(createClient({ url: "http://plane.test", fetch: answer })) };
  };

  it("are found by their whole key", async ({ expect }) => {
    const found = await storageWith("result-call-0.").storage.read(`runs/${ID}/call-0`);
    expect(new TextDecoder().decode(found ?? undefined)).toBe("kept");
    expect(await storageWith("result-call-0.more.").storage.read(`runs/${ID}/call-0`)).toBeNull();
  });

  it("are those of runs, and small: anything else is refused before it is sent", async ({ expect }) => {
    const { sent, storage } = storageWith("");
    await expect(storage.write("cache/x", new Uint8Array(1))).rejects.toThrow('results of runs only, not "cache/x"');
    await expect(storage.write(`runs/${ID}/x`, new Uint8Array(400 * 1024))).rejects.toThrow(RangeError);
    expect(sent).toEqual([]);
  });
});

describe("a task run that somebody wants to run again", () => {
  /** Lives of one run: each is told which task runs, by their numbers, are to run again. */
  async function lives(made: (life: number) => AnyFlow, again: readonly (readonly string[])[]): Promise<void> {
    using world = offlineWorld({ persist: true });
    const backend = new OfflineBackend({ clock: world.clock, record: true });
    for (const [life, numbers] of again.entries()) {
      const definition = definitionOf(made(life));
      const { policy, name: flowName } = definition;
      const request = { flowName, flowVersion: null, runName: null, parameters: {}, policy, tags: [], parent: null };
      const [first] = backend.runs.slice(-1);
      const session = first ? backend.continueRun(first) : await backend.createFlowRun(request);
      const known = await session.knownTasks();
      const knownTasks = async () => known.map((one) => ({ ...one, isRerun: numbers.includes(one.dynamicKey) }));
      Object.assign(session, { knownTasks });
      await world.execute(() => runFlow(definition, session, {}, world.clock));
    }
  }

  it("runs once more, and is restored from then on", async ({ expect }) => {
    const seen: string[] = [];
    const note = task({ name: "note" }, async (what: string) => void seen.push(what));
    const failing = (life: number) =>
      flow({ name: "f", retries: 2 }, async (_: object, { runCount }) => {
        seen.push(`life ${life}`);
        await note("a");
        await note("b");
        if (life === 1 && runCount === 2) throw new Error("its attempt fails, and the next restores what it made");
      });
    await lives(failing, [[], ["1"]]);
    expect(seen).toEqual(["life 0", "a", "b", "life 1", "b", "life 1"]);
  });

  it("is known by the number that it had last, whatever the order of the calls was before", async ({ expect }) => {
    const seen: string[] = [];
    const note = task({ name: "note" }, async (what: string) => void seen.push(what));
    const orders = [
      ["a", "b"],
      ["b", "a"],
      ["b", "a"],
    ];
    const made = (life: number) =>
      flow({ name: "f" }, async () => {
        seen.push(`life ${life}`);
        for (const what of orders[life] ?? []) await note(what);
      });
    await lives(made, [[], [], ["1"]]);
    expect(seen).toEqual(["life 0", "a", "b", "life 1", "life 2", "a"]);
  });
});

const opaque = new (class Client {})();

it.for<[how: string, first: unknown, second: unknown]>([
  ["by what it is given", "x", "y"],
  ["not at all when that cannot be told", opaque, opaque],
])("the calls of a task are found again by who makes them, and that one %s", async ([, first, second], { expect }) => {
  using world = offlineWorld({ persist: true });
  const seen: number[] = [];
  const inner = task({ name: "inner" }, async () => seen.length);
  const outer = task({ name: "outer" }, async (_: unknown) => {
    seen.push(await inner());
    if (seen.length === 1) throw new Error("once");
  });
  const main = flow({ name: "main", retries: 1 }, async (_: object, { runCount }) => {
    await outer(runCount === 1 ? first : second);
  });
  await world.execute(() => main({}));
  expect(seen).toEqual([0, 1]);
});

it("a wait of a continued run is over when it was, goes on where it was, and is told apart by its key", async ({
  expect,
}) => {
  using world = offlineWorld({ persist: true });
  let lives = 0;
  const crashes = async (afterMs: number): Promise<void> => {
    await wait(world.clock, afterMs, new AbortController().signal);
    await world.crash();
  };
  const main = flow({ name: "main" }, async () => {
    const life = ++lives;
    await sleep("1h");
    await Promise.all([sleep("2h", { key: "long" }), life === 1 ? crashes(1_800_000) : null]);
    await sleep("1h");
  });
  await expect(world.execute(() => main())).rejects.toThrow(ProcessCrashedError);
  expect(world.clock.elapsedMs).toBe(1.5 * 3_600_000);
  await world.continueRun(main);
  expect(world.clock.elapsedMs).toBe(4 * 3_600_000);
  const lines = world.runs.at(-1)?.logs.map(({ message }) => message);
  expect(lines).toEqual(['The wait "0" is over.', expect.stringMatching(/^The wait "long" goes on until 2026-/)]);
});
