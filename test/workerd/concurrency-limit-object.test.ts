import { describe, it } from "vitest";
import { SPANS } from "#protocol/limits";
import type { SlotAnswer } from "../../durable-objects/concurrency-limit-owner.ts";
import { awakeMs, quantile } from "./support/awake.ts";
import { type AskOptions, ask, home, Limit, LimitWaiter } from "./support/limits.ts";
import { movableClock } from "./support/pools.ts";
import { until } from "./support/runs.ts";

const moveClock = movableClock();

/** Asks and, if refused, keeps the place. */
async function poll(limits: readonly Limit[], options: AskOptions = {}): Promise<SlotAnswer & { leaseId: string }> {
  const question = ask(limits, options);
  const answer = await home(question.leaseId).acquire(question, true);
  return { ...answer, leaseId: question.leaseId };
}

function retryAfterMs(answer: SlotAnswer): number {
  return answer.kind === "full" ? answer.retryAfterMs : 0;
}

async function stands(limit: Limit, count: number): Promise<void> {
  await until(`${count} are in line`, async () => (await limit.object.status()).waiters.length === count);
}

describe("a rate limit", () => {
  it("lets slots back exactly as time passes, however often it is asked", async ({ expect }) => {
    const limit = new Limit(2, { slotDecayPerSecond: 0.1 });
    const take = () => poll([limit], { ttlMs: null });
    for (let times = 0; times < 2; times++) expect((await take()).kind).toBe("granted");
    // Upstream rounds each time it is asked, and loses the fractions.
    for (let step = 0; step < 9; step++) {
      moveClock(1_000);
      expect((await limit.object.acquire(ask([limit], { ttlMs: null }), false)).kind).toBe("full");
    }
    moveClock(1_100);
    expect((await limit.object.acquire(ask([limit], { ttlMs: null }), false)).kind).toBe("granted");
    const refused = await limit.object.acquire(ask([limit], { ttlMs: null }), false);
    expect(retryAfterMs(refused)).toBeGreaterThan(9_000);
    expect(retryAfterMs(refused)).toBeLessThan(11_000);
  });

  it("gives back of a lease only what has not come back by itself", async ({ expect }) => {
    const limit = new Limit(10, { slotDecayPerSecond: 0.5 });
    const first = await poll([limit], { slots: 4 });
    moveClock(4_000);
    const second = await poll([limit], { slots: 3 });
    expect(await limit.object.activeSlots()).toBe(5);
    // Two of its four ran out.
    await home(first.leaseId).release(first.leaseId);
    expect(await limit.object.activeSlots()).toBe(3);
    moveClock(2_000);
    await home(second.leaseId).release(second.leaseId);
    expect(await limit.object.activeSlots()).toBe(0);
  });

  it("serves those who wait as it decays", async ({ expect }) => {
    const limit = new Limit(1, { slotDecayPerSecond: 20 });
    const waiters = await Promise.all([1, 2, 3].map(() => new LimitWaiter([limit], { ttlMs: null }).connect()));
    await until("all are served", async () => waiters.every(({ isWaiting }) => !isWaiting));
    const times = waiters.map(({ grantedAt }) => grantedAt).sort((a, b) => a - b);
    expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
  });
});

describe("the line", () => {
  it("serves the more urgent first, and equals in the order in which they asked", async ({ expect }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit]);
    const served: string[] = [];
    for (const [name, priority] of [
      ["late", 200],
      ["first", 100],
      ["second", 100],
      ["urgent", 1],
    ] as const) {
      const waiter = new LimitWaiter([limit], { priority });
      waiter.onGrant = (lease) => {
        served.push(name);
        void home(lease).release(lease);
      };
      await waiter.connect();
      await stands(limit, served.length + (await limit.object.status()).waiters.length);
      moveClock(1);
    }
    await stands(limit, 4);
    await home(leaseId).release(leaseId);
    await until("all are served", async () => served.length === 4);
    expect(served).toEqual(["urgent", "first", "second", "late"]);
  });

  it("is not overtaken by those who ask for fewer slots", async ({ expect }) => {
    const limit = new Limit(3);
    const held = [await poll([limit]), await poll([limit]), await poll([limit])];
    const waiter = await new LimitWaiter([limit], { slots: 3 }).connect();
    await stands(limit, 1);
    for (const { leaseId } of held) {
      expect((await poll([limit], { key: "ada" })).kind).toBe("full");
      await home(leaseId).release(leaseId);
    }
    await until("it has all three", async () => !waiter.isWaiting);
  });

  it("outlives the object's memory", async ({ expect }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit]);
    const waiter = await new LimitWaiter([limit]).connect();
    await stands(limit, 1);
    await limit.evict("hibernate");
    expect((await limit.object.status()).waiters).toHaveLength(1);
    await home(leaseId).release(leaseId);
    await until("it is served", async () => !waiter.isWaiting);
  });

  it("hands slots on to the next when somebody was cut off before they were taken", async ({ expect }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit]);
    const [gone, next] = [new LimitWaiter([limit]), new LimitWaiter([limit])];
    for (const waiter of [gone, next]) await waiter.connect();
    await stands(limit, 2);
    const released = home(leaseId).release(leaseId);
    gone.leave(1001);
    await released;
    await until("the next is served", async () => !next.isWaiting);
    expect(await limit.object.activeSlots()).toBe(1);
  });

  it("tells those who poll to come later the more are before them, and keeps the place of whoever is back in time", async ({
    expect,
  }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit]);
    const ada = retryAfterMs(await poll([limit], { key: "ada" }));
    const ben = retryAfterMs(await poll([limit], { key: "ben" }));
    expect(ben).toBeGreaterThan(1.5 * ada);
    moveClock(ada);
    await home(leaseId).release(leaseId);
    // Ada is due: Ben, who is early, does not overtake her.
    expect((await poll([limit], { key: "ben" })).kind).toBe("full");
    const hers = await poll([limit], { key: "ada" });
    expect(hers.kind).toBe("granted");
    expect((await limit.object.status()).waiters).toHaveLength(1);
    // A place whose owner did not come back is lost.
    moveClock(3 * ben);
    await home(hers.leaseId).release(hers.leaseId);
    expect((await limit.object.status()).waiters.length).toBeLessThanOrEqual(1);
    expect((await poll([limit], { key: "eve" })).kind).toBe("granted");
  });

  it.for([
    { times: 1.9, order: ["ada", "ben"] },
    { times: 2.1, order: ["ben", "ada"] },
  ])(
    "lets somebody who polls be back after $times times of what it was told as $order",
    async ({ times, order }, { expect }) => {
      const limit = new Limit(1);
      await poll([limit]);
      const as = (id: string) => poll([limit], { key: id, holder: { type: "task_run", id } });
      const told = retryAfterMs(await as("ada"));
      moveClock(1);
      await as("ben");
      moveClock(times * told - 1);
      await as("ada");
      expect((await limit.object.status()).waiters.map(({ holder }) => holder?.id)).toEqual(order);
    },
  );

  it("keeps the next slot for somebody who polls and was overtaken by those who wait", async ({ expect }) => {
    const limit = new Limit(1);
    const first = await poll([limit]);
    const refused = await poll([limit], { key: "ada" });
    const [one, two] = [new LimitWaiter([limit]), new LimitWaiter([limit])];
    for (const waiter of [one, two]) await waiter.connect();
    await stands(limit, 3);
    await home(first.leaseId).release(first.leaseId);
    await until("somebody who waits is served", async () => !one.isWaiting);
    moveClock(retryAfterMs(refused));
    expect(retryAfterMs(await poll([limit], { key: "ada" }))).toBeLessThanOrEqual(1_000);
    await home(one.leaseId ?? "").release(one.leaseId ?? "");
    expect((await poll([limit], { key: "ada" })).kind).toBe("granted");
    expect(two.isWaiting).toBe(true);
    two.leave();
  });
});

describe("a lease on several limits", () => {
  it("that has ended at its home is not made to last at another limit by a late renewal", async ({ expect }) => {
    const limits = [new Limit(1), new Limit(1)].sort((a, b) => (a.id < b.id ? -1 : 1));
    const [, second] = limits;
    if (!second) return;
    const { leaseId } = await poll(limits);
    // As if the other limit had been renewed, and its home had not answered in time.
    expect(await second.object.renew(leaseId, 600_000)).toBe(true);
    moveClock(300_000);
    expect(await home(leaseId).renew(leaseId, 600_000)).toBe(false);
    await until("its slot is free there, too", async () => (await second.object.activeSlots()) === 0);
  });

  it("is decided by the home: what another limit holds for it ends or lasts by its word", async ({ expect }) => {
    for (const cameAbout of [true, false]) {
      const limits = [new Limit(1), new Limit(1)].sort((a, b) => (a.id < b.id ? -1 : 1));
      const [first, second] = limits;
      if (!first || !second) return;
      const { leaseId } = cameAbout ? await poll(limits) : ask(limits);
      // As if the home had died after this call.
      const lost = {
        leaseId,
        settings: second.settings,
        slots: 1,
        ttlMs: 600_000,
        holder: null,
        asker: { key: null, priority: 1 },
      };
      if (!cameAbout) await second.object.hold({ ...lost, waits: { kind: "not", since: 0 as never } });
      expect(await second.object.activeSlots()).toBe(1);
      moveClock(SPANS.tentativeHoldMs + 1);
      await second.alarm();
      expect(await second.object.activeSlots(), String(cameAbout)).toBe(cameAbout ? 1 : 0);
    }
  });

  it("is handed over when the last of its limits has a slot, in whatever order they come free", async ({ expect }) => {
    const limits = [new Limit(1), new Limit(1), new Limit(1)];
    const held = await Promise.all(limits.map((limit) => poll([limit])));
    const waiter = await new LimitWaiter(limits).connect();
    for (const at of [2, 0, 1]) {
      expect(waiter.isWaiting).toBe(true);
      const { leaseId } = held[at] ?? { leaseId: "" };
      await home(leaseId).release(leaseId);
    }
    await until("it has them all", async () => !waiter.isWaiting);
    for (const limit of limits) expect(await limit.object.activeSlots()).toBe(1);
  });
});

it("the place of somebody who died together with the memory of another limit is given up in time, and no other", async () => {
  const limits = [new Limit(1), new Limit(1)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const [first, second] = limits as [Limit, Limit];
  const { leaseId } = await poll([second], { ttlMs: 600_000 });
  const [gone, stays] = [new LimitWaiter(limits), new LimitWaiter(limits)];
  await gone.connect();
  await stands(second, 1);
  gone.vanish();
  await first.evict("close");
  await stays.connect();
  await stands(second, 2);
  moveClock(91_000);
  await second.alarm();
  await stands(second, 1);
  await home(leaseId).release(leaseId);
  await until("the other one is served", async () => !stays.isWaiting);
});

describe("time", () => {
  it("ends leases that are not renewed, by the alarm", async ({ expect }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit], { ttlMs: 60_000 });
    const waiter = await new LimitWaiter([limit]).connect();
    await stands(limit, 1);
    moveClock(59_000);
    expect(await home(leaseId).renew(leaseId, 60_000)).toBe(true);
    moveClock(59_000);
    await limit.alarm();
    expect(waiter.isWaiting).toBe(true);
    moveClock(2_000);
    await limit.alarm();
    await until("the next is served", async () => !waiter.isWaiting);
    expect(await home(leaseId).renew(leaseId, 60_000)).toBe(false);
  });

  it("in which nobody could renew is not held against a lease, once", async ({ expect }) => {
    const limit = new Limit(1);
    const { leaseId } = await poll([limit], { ttlMs: 60_000 });
    await limit.evict("close");
    moveClock(600_000);
    expect(await home(leaseId).renew(leaseId, 60_000)).toBe(true);
  });
});

it("a slot that comes free is with the next in line within 100 ms, 19 times in 20", async ({ expect }) => {
  const limit = new Limit(1);
  let { leaseId } = await poll([limit]);
  const spans: number[] = [];
  for (let times = 0; times < 40; times++) {
    const waiter = await new LimitWaiter([limit]).connect();
    await stands(limit, 1);
    const served = new Promise<void>((resolve) => {
      waiter.onGrant = () => resolve();
    });
    spans.push(
      await awakeMs(async () => {
        await home(leaseId).release(leaseId);
        await served;
      }),
    );
    leaseId = waiter.leaseId ?? "";
  }
  expect(quantile(spans, 0.95)).toBeLessThan(100);
});
