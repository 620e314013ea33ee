/** The object of a limit by key goes by the newest of what was said of it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import type { KeyedLimitObject } from "../../durable-objects/keyed-limit-object.ts";
import { keyedLimitOwner } from "../../durable-objects/keyed-limit-owner.ts";
import { newFlowRunId } from "../../worker/new-id.ts";
import { movableClock } from "./support/pools.ts";
import { until } from "./support/runs.ts";

const moveClock = movableClock();
const now = Date.now() as EpochMs;
/** Longer than an owner is left unasked. */
const A_CHECK_MS = 301_000;
const limited = (limit: number) => ({ key: "parameters.customer", limit, strategy: "queue" as const });

function aLimit() {
  const object = keyedLimitOwner(env.KEYED_LIMITS, crypto.randomUUID() as DeploymentId);
  const ask = async (limit: number, version: number): Promise<string> => {
    const run = crypto.randomUUID() as FlowRunId;
    const asked = { run, key: "ada", askedAt: now, since: now, priority: 1 };
    return (await object.ask({ ...asked, settings: limited(limit), version })).kind;
  };
  return { object, ask };
}

describe("a limit by key that is changed", () => {
  it("holds for claims that have read what it was before", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(limited(1), 10);
    expect(await ask(2, 9)).toBe("granted");
    expect(await ask(2, 9)).toBe("waits");
  });

  it("is known from a claim that has read it, where the change itself did not arrive", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(limited(1), 10);
    expect(await ask(2, 11)).toBe("granted");
    expect(await ask(2, 11)).toBe("granted");
    expect(await ask(1, 10)).toBe("waits");
  });

  it("lets every run begin once it is taken away", async ({ expect }) => {
    const { object, ask } = aLimit();
    await object.configure(null, 10);
    expect(await ask(1, 9)).toBe("granted");
    expect(await ask(1, 9)).toBe("granted");
    expect((await object.status()).waiters).toEqual([]);
  });
});

// The owners of these runs do not know them, so each answers that it uses no slot.
const asked = (run: FlowRunId) => {
  const at = clock.now();
  return { run, key: "ada", askedAt: at, since: at, priority: 1, settings: limited(1), version: 1 };
};
const anObject = () => {
  const object = keyedLimitOwner(env.KEYED_LIMITS, crypto.randomUUID() as DeploymentId);
  return { object, stub: object as unknown as DurableObjectStub<KeyedLimitObject> };
};

describe("a slot of a key that is kept for somebody who was called", () => {
  it("is given to nobody who comes before", async ({ expect }) => {
    const { stub } = anObject();
    const [first, called, newcomer] = [1, 2, 3].map(() => crypto.randomUUID() as FlowRunId) as [
      FlowRunId,
      FlowRunId,
      FlowRunId,
    ];
    await runInDurableObject(stub, async (instance) => {
      expect((await instance.ask(asked(first))).kind).toBe("granted");
      expect((await instance.ask(asked(called))).kind).toBe("waits");
      // In one turn, before the call could have been answered.
      const released = instance.release(first, clock.now());
      const answers = [instance.ask(asked(newcomer)), instance.ask(asked(called))];
      expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(["waits", "granted"]);
      await released;
    });
  });
});

it("neither a slot of a key nor a place in line is given back by late word of an earlier claim", async ({ expect }) => {
  const { object } = anObject();
  const [holder, waiter] = [newFlowRunId(env), newFlowRunId(env)];
  const runs = async () => {
    const { holders, waiters } = await object.status();
    return [...holders, ...waiters].map(({ run }) => run);
  };
  const earlier = clock.now();
  for (const run of [holder, waiter, holder, waiter]) {
    await object.ask(asked(run));
    moveClock(1_000);
  }
  for (const run of [holder, waiter]) await object.release(run, earlier);
  expect(await runs()).toEqual([holder, waiter]);
  for (const run of [waiter, holder]) await object.release(run, clock.now());
  expect(await runs()).toEqual([]);
});

describe("those who wait for a slot of a key", () => {
  it.for([
    ["comes, but does not ask in time, when the time is over", "comes", 1],
    ["cannot come, at once", "not now", 2],
  ] as const)("are called one after the other; after one who %s", async ([, answer, atOnce], { expect }) => {
    const { stub } = anObject();
    const called: string[] = [];
    const owner = { slotFree: (run: string) => Promise.resolve(called.push(run) === 1 ? answer : "comes") };
    const [first, second, third] = [1, 2, 3].map(() => newFlowRunId(env)) as [FlowRunId, FlowRunId, FlowRunId];
    await runInDurableObject(stub, async (instance) => {
      Object.assign(instance, { env: { ...env, FLOW_RUNS: { getByName: () => owner } } });
      for (const run of [first, second, third]) {
        await instance.ask(asked(run));
        moveClock(1);
      }
      await instance.release(first, clock.now());
    });
    await until("they were called", async () => called.length === atOnce);
    moveClock(20_001);
    await runDurableObjectAlarm(stub);
    await until("they were called", async () => called.length > 1);
    expect(called.slice(0, 2)).toEqual([second, third]);
  });
});

it("nobody stands in line any more whose limit by key was taken away", async ({ expect }) => {
  const { object, stub } = anObject();
  const [holder, waiter] = [newFlowRunId(env), newFlowRunId(env)];
  await runInDurableObject(stub, async (instance) => {
    const owner = { slotFree: () => Promise.resolve("comes") };
    Object.assign(instance, { env: { ...env, FLOW_RUNS: { getByName: () => owner } } });
    await instance.ask(asked(holder));
    await instance.ask(asked(waiter));
    await instance.configure(null, 2);
    expect((await instance.ask(asked(waiter))).kind).toBe("granted");
  });
  expect((await object.status()).waiters).toEqual([]);
});

describe("a slot of a key whose run was never heard of again", () => {
  const run = crypto.randomUUID() as FlowRunId;

  it("is free once its owner was asked", async ({ expect }) => {
    const { object, stub } = anObject();
    await object.ask(asked(run));
    await runDurableObjectAlarm(stub);
    expect((await object.status()).holders).toHaveLength(1);
    moveClock(A_CHECK_MS);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect((await object.status()).holders).toEqual([]);
  });

  it("stays taken while its owner cannot be asked", async ({ expect }) => {
    const { object, stub } = anObject();
    const unreachable = { getByName: () => ({ usesSlot: () => Promise.reject(new Error("It is not there.")) }) };
    await object.ask(asked(newFlowRunId(env)));
    moveClock(A_CHECK_MS);
    await runInDurableObject(stub, async (instance) => {
      Object.assign(instance, { env: { ...env, FLOW_RUNS: unreachable } });
      await instance.alarm();
    });
    expect((await object.status()).holders).toHaveLength(1);
  });

  it("is not taken from a claim that asked for it again a moment ago, or while its owner was asked", async ({
    expect,
  }) => {
    for (const asksMeanwhile of [false, true]) {
      const { object, stub } = anObject();
      await object.ask(asked(run));
      moveClock(A_CHECK_MS);
      await runInDurableObject(stub, async (instance) => {
        const checked = asksMeanwhile ? instance.alarm() : null;
        expect((await instance.ask(asked(run))).kind).toBe("granted");
        await (checked ?? instance.alarm());
      });
      expect((await object.status()).holders).toHaveLength(1);
    }
  });
});

it("a trigger is forgotten once nothing looks back so far, also where no run has a slot", async ({ expect }) => {
  const { object, stub } = anObject();
  const day = 86_400_000;
  const kept = () =>
    runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM triggers").one()["n"]);
  await object.throttle("ada", { limit: 1, seconds: 60 }, clock.now());
  moveClock(4 * day);
  expect(await object.debounce("ada", crypto.randomUUID() as FlowRunId, 60)).toBeNull();
  expect(await kept()).toBe(2);
  moveClock(5 * day);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await kept()).toBe(1);
  moveClock(9 * day);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await kept()).toBe(0);
  expect(await runDurableObjectAlarm(stub)).toBe(false);
});

it("a run gives way to another one of its key as long as it is put off, and not to itself", async ({ expect }) => {
  const { object } = anObject();
  const [first, second, third] = [newFlowRunId(env), newFlowRunId(env), newFlowRunId(env)];
  expect(await object.debounce("ada", first, 60)).toBeNull();
  expect(await object.debounce("ada", first, 60)).toBeNull();
  expect(await object.debounce("ben", second, 60)).toBeNull();
  expect(await object.debounce("ada", second, 60)).toBe(first);
  moveClock(60_000);
  expect(await object.debounce("ada", third, 60)).toBeNull();
});

it("a run replaces those of its key that were due before it, and none that was due after it", async ({ expect }) => {
  const { object } = anObject();
  const settings = { ...limited(2), strategy: "cancel-running" as const };
  const due = Array.from({ length: 4 }, () => newFlowRunId(env));
  const ask = (index: number, key = "ada") => {
    const run = due[index] ?? newFlowRunId(env);
    return object.ask({ ...asked(run), key, settings, since: (now + index) as EpochMs });
  };
  expect([await ask(0), await ask(2), await ask(9, "ben")].map(({ kind }) => kind)).toEqual(Array(3).fill("granted"));
  expect(await ask(1)).toEqual({ kind: "dropped" });
  expect(await ask(3)).toEqual({ kind: "replaces", runs: [due[0], due[2]] });
  expect(await ask(3)).toEqual({ kind: "replaces", runs: [due[0], due[2]] });
});
