/** Slots of limits as a process asks for them, keeps and gives them back; the control plane answers as each test says. */
import { describe, it } from "vitest";
import { sleep } from "../../sdk/flow/clock.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import { concurrency, flow, rateLimit, SlotsLostError, TimedOutError, task } from "../../sdk/index.ts";
import { offlineWorld } from "./offline-world.ts";

const LEASE = "019ab5c2-0000-7000-8000-000000000001";
const GRANTED = { lease_id: LEASE, limits: [{ id: LEASE, name: "db", limit: 1 }] };
const NEVER = new AbortController().signal;

type Answer = readonly [status: number, body?: unknown, lateMs?: number];
interface Asked {
  readonly verb: string;
  readonly body: Record<string, unknown>;
  readonly at: number;
}

/** `acquire` and `renew` answer in their order, the last one again and again. */
function control(answers: { acquire?: readonly Answer[]; renew?: readonly (Answer | "away")[] } = {}) {
  const world = offlineWorld();
  const asked: Asked[] = [];
  const restore = configure({
    // Of its own, since what has no limit is remembered.
    apiUrl: `http://limits-${crypto.randomUUID()}.test/api`,
    fetch: async (url, init) => {
      const verb = /acquire|renew|decrement/.exec(String(url))?.[0] ?? "";
      asked.push({ verb, body: JSON.parse(String(init?.body)), at: world.clock.elapsedMs });
      const given = verb === "renew" ? (answers.renew ?? [[204]]) : verb === "acquire" ? answers.acquire : [];
      const before = asked.filter((one) => one.verb === verb).length - 1;
      const answer = given?.[Math.min(before, given.length - 1)] ?? (verb === "acquire" ? [200, GRANTED] : [204]);
      if (answer === "away") throw new TypeError("fetch failed");
      const [status, body, lateMs = 0] = answer as Answer;
      if (lateMs > 0) await sleep(world.clock, lateMs, NEVER);
      return new Response(body === undefined ? null : JSON.stringify(body), { status });
    },
  });
  return {
    world,
    asked,
    verbs: () => asked.map(({ verb }) => verb),
    run: <T>(act: () => Promise<T>) => world.execute(act, { idleMs: 20 }),
    hold: (spanMs: number) => sleep(world.clock, spanMs, NEVER),
    [Symbol.dispose]: () => {
      restore();
      world[Symbol.dispose]();
    },
  };
}

const refused = (code: string, status: number): Answer => [
  status,
  { code, exception_message: code, detail: code, fix: "Wait." },
];

describe("concurrency()", () => {
  it("asks for slots of all limits at once with what its options say, and gives them back when its code ends", async ({
    expect,
  }) => {
    using plane = control();
    const options = { slots: 2, strict: true, priority: 7, lease: "9s" };
    const held = concurrency(["db", "api", "db"], options, async () => plane.verbs());
    expect(await plane.run(() => held)).toEqual(["acquire"]);
    expect(plane.verbs()).toEqual(["acquire", "decrement"]);
    expect(plane.asked[0]?.body).toMatchObject({
      names: ["db", "api"],
      slots: 2,
      mode: "concurrency",
      strict: true,
      priority: 7,
      lease_seconds: 9,
      holder: null,
    });
    expect(plane.asked[1]?.body).toEqual({ lease_id: LEASE });
  });

  it("holds them to the end of a block, whatever ends that", async ({ expect }) => {
    using plane = control();
    const held = plane.run(async () => {
      await using slots = await concurrency("db");
      expect([slots.signal.aborted, plane.verbs()]).toEqual([false, ["acquire"]]);
      throw new Error("no");
    });
    await expect(held).rejects.toThrow("no");
    expect(plane.verbs()).toEqual(["acquire", "decrement"]);
    expect(plane.world.clock.waiting).toBe(0);
  });

  it("says at the end of a block, too, that they were lost, with strict", async ({ expect }) => {
    using plane = control({ renew: [refused("gone", 410)] });
    const held = plane.run(async () => {
      await using slots = await concurrency("db", { lease: "9s", strict: true });
      await plane.hold(20_000);
      expect(slots.signal.aborted).toBe(true);
    });
    await expect(held).rejects.toThrow(SlotsLostError);
  });

  it("refuses spans that are none, by option", async ({ expect }) => {
    using plane = control();
    await expect(concurrency("db", { timeout: "soon" })).rejects.toThrow('concurrency() option "timeout" is "soon"');
    await expect(concurrency("db", { lease: -1 })).rejects.toThrow('concurrency() option "lease" is -1');
    await expect(rateLimit("db", { timeout: "soon" })).rejects.toThrow('rateLimit() option "timeout" is "soon"');
    expect(plane.verbs()).toEqual([]);
  });

  it("gives them back when its code fails, and throws what that threw", async ({ expect }) => {
    using plane = control();
    const held = concurrency("db", {}, async () => {
      throw new Error("no");
    });
    await expect(plane.run(() => held)).rejects.toThrow("no");
    expect(plane.verbs()).toEqual(["acquire", "decrement"]);
  });

  it("names the run that holds them", async ({ expect }) => {
    using plane = control();
    const step = task({ name: "step" }, () => concurrency("db", {}, async () => 1));
    const main = flow({ name: "main" }, async () => {
      await concurrency("db", {}, async () => 1);
      await step();
    });
    await plane.run(() => main());
    const holders = plane.asked.filter(({ verb }) => verb === "acquire").map(({ body }) => body["holder"]);
    expect(holders).toEqual([
      { type: "flow_run", id: plane.world.run.run.id },
      { type: "task_run", id: plane.world.tasks[0]?.id },
    ]);
  });

  it("keeps its place in line while none is free", async ({ expect }) => {
    using plane = control({ acquire: [refused("locked", 423), refused("locked", 423), [200, GRANTED]] });
    await plane.run(() => concurrency("db", {}, async () => 1));
    const waiters = plane.asked.filter(({ verb }) => verb === "acquire").map(({ body }) => body["waiter_id"]);
    expect(waiters).toHaveLength(3);
    expect(new Set(waiters).size).toBe(1);
    expect(plane.asked[0]?.body["wait_seconds"]).toBe(20);
  });

  it("throws after its timeout", async ({ expect }) => {
    using plane = control({ acquire: [refused("locked", 423)] });
    const held = concurrency("db", { timeout: 0 }, async () => 1);
    await expect(plane.run(() => held)).rejects.toThrow(TimedOutError);
    expect(plane.asked.map(({ body }) => body["wait_seconds"])).toEqual([0]);
  });

  it("throws what the control plane refuses, at once", async ({ expect }) => {
    using plane = control({ acquire: [refused("not_found", 404)] });
    await expect(plane.run(() => concurrency("db", { strict: true }, async () => 1))).rejects.toMatchObject({
      code: "not_found",
    });
    expect(plane.verbs()).toEqual(["acquire"]);
  });

  it("limits nothing without a control plane, and says so where that is not to be", async ({ expect }) => {
    using world = offlineWorld();
    const restore = configure({ apiUrl: null });
    expect(await world.execute(() => concurrency("db", {}, async () => "done"))).toBe("done");
    {
      await using slots = await concurrency("db");
      expect(slots.signal.aborted).toBe(false);
    }
    await expect(concurrency("db", { strict: true }, async () => 1)).rejects.toMatchObject({ code: "not_configured" });
    restore();
  });

  it("renews its lease at a third of it for as long as its code runs", async ({ expect }) => {
    using plane = control();
    await plane.run(() => concurrency("db", { lease: "9s" }, () => plane.hold(10_000)));
    const renewals = plane.asked.filter(({ verb }) => verb === "renew");
    expect(renewals.map(({ at }) => at)).toEqual([3_000, 6_000, 9_000]);
    expect(renewals[0]?.body).toEqual({ lease_duration: 9 });
    expect(plane.world.clock.waiting).toBe(0);
  });

  it("renews it at a third of it after it was asked for, since nobody knows when it was given", async ({ expect }) => {
    using plane = control({ acquire: [[200, GRANTED, 2_000]] });
    await plane.run(() => concurrency("db", { lease: "9s" }, () => plane.hold(3_000)));
    expect(plane.asked.map(({ verb, at }) => [verb, at])).toEqual([
      ["acquire", 0],
      ["renew", 3_000],
      ["decrement", 5_000],
    ]);
  });

  it("makes sure of slots whose answer came late before its code starts", async ({ expect }) => {
    using plane = control({ acquire: [[200, GRANTED, 4_000]] });
    const held = concurrency("db", { lease: "9s" }, async () => plane.verbs());
    expect(await plane.run(() => held)).toEqual(["acquire", "renew"]);
  });

  it("makes sure once more when that came too late, too", async ({ expect }) => {
    using plane = control({ acquire: [[200, GRANTED, 4_000]], renew: [[204, undefined, 9_000], [204]] });
    const held = concurrency("db", { lease: "9s" }, async () => plane.verbs());
    expect(await plane.run(() => held)).toEqual(["acquire", "renew", "renew"]);
  });

  it("gets in line again for slots that were lost before their answer came", async ({ expect }) => {
    using plane = control({
      acquire: [
        [200, GRANTED, 10_000],
        [200, GRANTED],
      ],
      renew: [refused("gone", 410), [204]],
    });
    const held = concurrency("db", { lease: "9s", strict: true }, async () => plane.verbs());
    expect(await plane.run(() => held)).toEqual(["acquire", "renew", "acquire"]);
  });

  it.for<[what: string, renew: readonly (Answer | "away")[], lostAt: number]>([
    ["somebody reset the limit", [[204], refused("gone", 410)], 6_000],
    ["the lease ends before it could be renewed", [[204], refused("forbidden", 403)], 12_000],
  ])("aborts its signal when %s", async ([, renew, lostAt], { expect }) => {
    using plane = control({ renew });
    let heardAt = 0;
    const code = async ({ signal }: { readonly signal: AbortSignal }): Promise<string> => {
      signal.addEventListener("abort", () => {
        heardAt = plane.world.clock.elapsedMs;
      });
      await plane.hold(20_000);
      return "done";
    };
    expect(await plane.run(() => concurrency("db", { lease: "9s" }, code))).toBe("done");
    expect(heardAt).toBe(lostAt);
  });

  it("with strict throws when they were lost, though its code did not care", async ({ expect }) => {
    using plane = control({ renew: [refused("gone", 410)] });
    const held = concurrency("db", { lease: "9s", strict: true }, () => plane.hold(20_000));
    await expect(plane.run(() => held)).rejects.toThrow(SlotsLostError);
  });

  it("stops waiting when its task is to stop", async ({ expect }) => {
    using plane = control();
    // The control plane lets it wait.
    const asked = Promise.withResolvers<void>();
    const fetch = (_: unknown, init?: RequestInit): Promise<never> => {
      asked.resolve();
      return new Promise((_done, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("stop"))));
    };
    const restore = configure({ fetch });
    const main = flow({ name: "main" }, async () => {
      const waiting = concurrency("db", {}, async () => 1);
      waiting.catch(() => undefined);
      await asked.promise;
      plane.world.run.stop({ action: "cancel", state: null });
      await waiting;
    });
    await expect(main()).rejects.toThrow(/Cancelled/);
    restore();
  });
});

it("rateLimit() takes its slots for good", async ({ expect }) => {
  using plane = control();
  await plane.run(() => rateLimit("api", { slots: 3 }));
  expect(plane.verbs()).toEqual(["acquire"]);
  expect(plane.asked[0]?.body).toMatchObject({ names: ["api"], slots: 3, mode: "rate_limit" });
});

describe("a task with tags", () => {
  it("holds a slot of each tag's limit while it runs, retries included, and gives them back", async ({ expect }) => {
    using plane = control();
    const seen: string[][] = [];
    const step = task({ name: "step", tags: ["db", "api"], retries: 1 }, async () => {
      seen.push(plane.verbs());
      if (seen.length === 1) throw new Error("once");
    });
    await plane.run(() => flow({ name: "main" }, async () => step())());
    expect(seen).toEqual([["acquire"], ["acquire"]]);
    expect(plane.verbs()).toEqual(["acquire", "decrement"]);
    expect(plane.asked[0]?.body).toMatchObject({
      names: ["tag:db", "tag:api"],
      holder: { type: "task_run", id: plane.world.tasks[0]?.id },
      lease_seconds: 60,
    });
  });

  it("asks no more for a while where none of them has a limit", async ({ expect }) => {
    using plane = control({ acquire: [[200, { lease_id: LEASE, limits: [] }]] });
    const step = task({ name: "step", tags: ["db"] }, async (n: number) => n);
    const plain = task({ name: "plain" }, async (n: number) => n);
    await plane.run(() => flow({ name: "main" }, async () => [await step(1), await step(2), await plain(3)])());
    expect(plane.verbs()).toEqual(["acquire"]);
  });
});
