import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { stringify } from "../../sdk/flow/results/json-values.ts";
import { defaultSerializer } from "../../sdk/flow/results/settings.ts";
import {
  type CachePolicy,
  cacheKey,
  compressed,
  encrypted,
  FLOW_PARAMETERS,
  flow,
  INPUTS,
  jsonSerializer,
  localFolder,
  memoryStorage,
  NO_CACHE,
  NonRetryableError,
  NotSerialisableError,
  RUN_ID,
  type Serializer,
  TASK_SOURCE,
  task,
} from "../../sdk/index.ts";
import { eventually } from "../support/eventually.ts";
import { names, offlineWorld } from "./offline-world.ts";

const KEY = Buffer.alloc(32, "k").toString("base64");
const roundTrip = async (serializer: Serializer, value: unknown): Promise<unknown> =>
  serializer.decode(await serializer.encode(value));

describe("serializers", () => {
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: false,
    withNullPrototype: false,
    withBoxedValues: false,
    key: fc.oneof(fc.string(), fc.constantFrom("$", "v", "__proto__")),
  });
  it.for(
    [jsonSerializer, compressed(), encrypted(KEY), encrypted(KEY, compressed())].map((one) => [one.name, one] as const),
  )("%s gives back any plain value", async ([, serializer], { expect }) => {
    const check = async (value: unknown): Promise<void> => {
      expect(await roundTrip(serializer, value)).toStrictEqual(value);
    };
    await fc.assert(fc.asyncProperty(values, check), { numRuns: 150 });
    await check(new Uint16Array([1, 2, 3, 4]).subarray(1, 3));
    await check({ at: new Date(Number.NaN), url: new URL("https://example.com/a"), pattern: /a+/gi, none: undefined });
  });

  it.for<[what: string, value: unknown, message: RegExp]>([
    ["a function", { rows: [{ client: () => 1 }] }, /^result\.rows\[0\]\.client is a function/],
    ["an instance", { of: new (class Client {})() }, /^result\.of is an instance of Client/],
    ["a symbol", Symbol.iterator, /^result is a symbol/],
  ])("refuse %s, and say where it is", async ([, value, message], { expect }) => {
    expect(() => jsonSerializer.encode(value)).toThrow(NotSerialisableError);
    expect(() => jsonSerializer.encode(value)).toThrow(message);
  });

  it("refuse a cycle, and take what merely occurs twice", ({ expect }) => {
    const shared = { n: 1 };
    expect(() => jsonSerializer.encode([shared, shared])).not.toThrow();
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(() => jsonSerializer.encode(ring)).toThrow(/result\.self is a part of itself/);
  });

  it("encrypted: nobody reads or changes it without the key", async ({ expect }) => {
    const bytes = await encrypted(KEY).encode("a secret word");
    expect(new TextDecoder().decode(bytes)).not.toContain("secret");
    await expect(async () => encrypted(Buffer.alloc(32)).decode(bytes)).rejects.toThrow();
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await expect(async () => encrypted(KEY).decode(bytes)).rejects.toThrow();
    expect(() => encrypted("c2hvcnQ=")).toThrow(/has 5 bytes. Give 32/);
    // AES takes such a one, too, but is another cipher then.
    expect(() => encrypted(Buffer.alloc(24))).toThrow(/has 24 bytes. Give 32/);
  });

  it("are encrypted with the key of the environment, as it is now", async ({ expect }) => {
    const of = (key?: string): Serializer =>
      defaultSerializer((name) => (name === "SLUICE_RESULTS_KEY" ? key : undefined));
    expect(of().name).toBe("json");
    const bytes = await of(KEY).encode("a secret word");
    expect(await of(KEY).decode(bytes)).toBe("a secret word");
    const other = Buffer.alloc(32, "o").toString("base64");
    await expect(async () => of(other).decode(bytes)).rejects.toThrow();
  });

  it("write equal values the same, whatever the order of their keys", ({ expect }) => {
    expect(stringify({ a: 1, b: { c: 2, d: 3 } }, { sorted: true })).toBe(
      stringify({ b: { d: 3, c: 2 }, a: 1 }, { sorted: true }),
    );
  });
});

describe("a local folder", () => {
  it("keeps results for their owner alone, and no parts of them", async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-results-"));
    try {
      const storage = localFolder(folder);
      await storage.write("runs/a/b-0", new Uint8Array([1, 2, 3]));
      expect(await storage.read("runs/a/b-0")).toEqual(Buffer.from([1, 2, 3]));
      expect(await storage.read("runs/a/none")).toBeNull();
      expect(readdirSync(join(folder, "runs", "a"))).toEqual(["b-0"]);
      expect(statSync(join(folder, "runs", "a", "b-0")).mode & 0o077).toBe(0);
      await storage.delete("runs/a/b-0");
      expect(await storage.read("runs/a/b-0")).toBeNull();
      await expect(storage.read("../secrets")).rejects.toThrow(/cannot be a file's name/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("forgets what is old, when something is written", async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-results-"));
    try {
      await localFolder(folder).write("runs/old/x", new Uint8Array([1]));
      await eventually("it has been looked at", () => existsSync(join(folder, ".swept")));
      const old = new Date(Date.now() - 3 * 24 * 3_600_000);
      for (const path of ["runs/old", ".swept"]) utimesSync(join(folder, path), old, old);
      const later = localFolder(folder, { keepFor: "2d" });
      await later.write("cache/new", new Uint8Array([1]));
      await eventually("the old result is gone", () => readdirSync(join(folder, "runs")).length === 0);
      expect(await later.read("cache/new")).not.toBeNull();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a cached task", () => {
  const cached = (policy: CachePolicy, more: object = {}) => {
    const calls: unknown[] = [];
    const made = task({ name: "cached", cache: { policy, ...more } }, async (a: number, b: number) => {
      calls.push([a, b]);
      await turn();
      return { sum: a + b };
    });
    return { made, calls };
  };

  it.for<[what: string, policy: CachePolicy, calls: number]>([
    ["INPUTS", INPUTS, 2],
    ["INPUTS without one of them", INPUTS.minus("b"), 1],
    ["INPUTS and TASK_SOURCE", INPUTS.plus(TASK_SOURCE), 2],
    ["TASK_SOURCE", TASK_SOURCE, 1],
    ["INPUTS without one of them, after another policy", TASK_SOURCE.plus(INPUTS.minus("b")), 1],
    ["INPUTS without one of them, and without another", INPUTS.minus("b").minus("a"), 1],
    ["a function of its own", cacheKey(({ inputs }) => inputs["a"]), 1],
    ["a function that answers nothing", cacheKey(() => null), 4],
    ["INPUTS and RUN_ID", INPUTS.plus(RUN_ID), 4],
    ["INPUTS and FLOW_PARAMETERS", INPUTS.plus(FLOW_PARAMETERS), 4],
    ["NO_CACHE", NO_CACHE, 4],
  ])("by %s", async ([, policy, count], { expect }) => {
    using _ = offlineWorld();
    using __ = undoing(configure({ results: { storage: memoryStorage() } }));
    const { made, calls } = cached(policy);
    const f = flow({ name: "f" }, async (_: { n: number }) => [await made(1, 1), await made(1, 2)]);
    await f({ n: 1 });
    await f({ n: 2 });
    expect(calls).toHaveLength(count);
  });

  it("is Cached, with its key", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undoing(configure({ results: { storage: memoryStorage() } }));
    const { made } = cached(INPUTS);
    await flow({ name: "f" }, async () => [await made(1, 1), await made(1, 1)])();
    expect(world.tasks.map(({ states }) => names(states))).toEqual([
      ["Pending", "Running", "Completed"],
      ["Pending", "Cached"],
    ]);
  });

  it("runs again when its result has expired, or when it is to be refreshed", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undoing(configure({ results: { storage: memoryStorage() } }));
    const expiring = cached(INPUTS, { expires: "1h" });
    const refreshed = cached(INPUTS, { refresh: true });
    const f = flow({ name: "f" }, async () => [await expiring.made(1, 1), await refreshed.made(2, 2)]);
    await f();
    await f();
    expect([expiring.calls.length, refreshed.calls.length]).toEqual([1, 2]);
    await world.clock.run(new Promise<void>((resolve) => world.clock.after(3_600_000 as never, resolve)));
    await f();
    expect(expiring.calls.length).toBe(2);
  });

  it("is made by one caller at a time with isolation serializable", async ({ expect }) => {
    using _ = offlineWorld();
    using __ = undoing(configure({ results: { storage: memoryStorage() } }));
    const serial = cached(INPUTS, { isolation: "serializable" });
    const two = Promise.withResolvers<void>();
    let freeCalls = 0;
    // Each waits for another one: they are in it together, or not at all.
    const free = task({ name: "free", cache: { policy: INPUTS } }, async (a: number, b: number) => {
      freeCalls++;
      if (freeCalls === 2) two.resolve();
      await two.promise;
      return a + b;
    });
    const pairs = Array.from({ length: 5 }, () => 1);
    const f = flow({ name: "f" }, async () => [
      await serial.made.map(pairs, 1).results(),
      await free.map(pairs, 1).results(),
    ]);
    await f();
    expect(serial.calls).toHaveLength(1);
    expect(freeCalls).toBeGreaterThan(1);
  });

  it("fails for a result that cannot be written, and is not retried", async ({ expect }) => {
    using world = offlineWorld();
    using _ = undoing(configure({ results: { storage: memoryStorage() } }));
    const made = task({ name: "opaque", cache: INPUTS, retries: 3 }, async () => () => 1);
    await expect(flow({ name: "f" }, async () => made())()).rejects.toThrow(NotSerialisableError);
    expect(names(world.tasks[0]?.states ?? [])).toEqual(["Pending", "Running", "Failed"]);
  });
});

describe("a NonRetryableError", () => {
  it("ends its task and its flow, whatever retries are left", async ({ expect }) => {
    using world = offlineWorld();
    const asked: unknown[] = [];
    const retryCondition = (error: unknown): boolean => asked.push(error) > 0;
    const get = task({ name: "get", retries: 3, retryCondition }, async () => {
      throw new NonRetryableError("No such user.", { cause: new Error("404") });
    });
    const main = flow({ name: "f", retries: 3 }, async () => get());
    await expect(main()).rejects.toMatchObject({ message: "No such user.", cause: { message: "404" } });
    expect(names(world.tasks[0]?.states ?? [])).toEqual(["Pending", "Running", "Failed"]);
    expect(names(world.run.states)).toEqual(["Pending", "Running", "Failed"]);
    expect(world.run.states.at(-1)).toMatchObject({
      message: "NonRetryableError: No such user.",
      state_details: { retriable: false },
    });
    expect(asked).toEqual([]);
  });

  it("that is caught leaves its flow its retries, and one of somebody else counts by its name", async ({ expect }) => {
    using world = offlineWorld();
    class NonRetryableError extends Error {
      override readonly name = "NonRetryableError";
    }
    const get = task({ name: "get", retries: 3 }, async () => {
      throw new NonRetryableError("no");
    });
    const main = flow({ name: "f", retries: 1 }, async () => {
      await get().catch(() => undefined);
      throw new Error("another one");
    });
    await expect(world.clock.run(main())).rejects.toThrow("another one");
    expect(names(world.tasks[0]?.states ?? []).filter((name) => name === "Retrying")).toEqual([]);
    expect(names(world.run.states).at(-2)).toBe("Retrying");
  });
});

describe("retryCondition", () => {
  it.for<[what: string, status: number, states: string[]]>([
    ["is retried when it says yes", 503, ["Pending", "Running", "Retrying", "Failed"]],
    ["fails at once when it says no", 404, ["Pending", "Running", "Failed"]],
  ])("a task %s", async ([, status, states], { expect }) => {
    using world = offlineWorld();
    const get = task(
      { name: "get", retries: 1, retryCondition: (error) => (error as { status?: number }).status === 503 },
      async () => {
        throw Object.assign(new Error("no"), { status });
      },
    );
    await expect(flow({ name: "f" }, async () => get())()).rejects.toThrow("no");
    expect(names(world.tasks[0]?.states ?? [])).toEqual(states);
  });
});

it("keeps nothing of a deployed run's payload outside of the folder unencrypted when there is a key", async ({
  expect,
}) => {
  using _ = offlineWorld();
  const folder = mkdtempSync(join(tmpdir(), "sluice-results-"));
  using __ = undoing(
    configure({ results: { storage: localFolder(folder), serializer: encrypted(KEY), persist: true } }),
  );
  const step = task({ name: "step" }, async () => "a secret word");
  await flow({ name: "f" }, async () => step())();
  const [run = ""] = readdirSync(join(folder, "runs"));
  const [file = ""] = readdirSync(join(folder, "runs", run));
  expect(readFileSync(join(folder, "runs", run, file), "latin1")).not.toContain("secret");
  rmSync(folder, { recursive: true });
});

function undoing(undo: () => void): Disposable {
  return { [Symbol.dispose]: undo };
}
