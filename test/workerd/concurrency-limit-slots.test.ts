/** What a limit counts as taken: through changes of its settings, over time, and when its object forgets. */
import { runInDurableObject } from "cloudflare:test";
import { describe, it } from "vitest";
import { SPANS } from "#protocol/limits";
import { newId } from "../../worker/new-id.ts";
import { type AskOptions, ask, home, Limit } from "./support/limits.ts";
import { movableClock } from "./support/pools.ts";
import { until } from "./support/runs.ts";

const moveClock = movableClock();
/** Slots that nobody has a lease on. */
const LOOSE = { ttlMs: null } as const;

async function take(limits: readonly Limit[], options: AskOptions = {}): Promise<string> {
  const question = ask(limits, options);
  const answer = await home(question.leaseId).acquire(question, false);
  if (answer.kind === "full") throw new Error("There is no slot.");
  return question.leaseId;
}

const release = (leaseId: string) => home(leaseId).release(leaseId);
const active = (limit: Limit) => limit.object.activeSlots();

describe("what is taken of a limit", () => {
  it("stays taken when the limit begins to decay, changes its rate, or ceases to decay", async ({ expect }) => {
    const limit = new Limit(10);
    await take([limit], { slots: 6, ...LOOSE });
    await limit.change({ slotDecayPerSecond: 1 });
    expect(await active(limit)).toBe(6);
    moveClock(2_000);
    await limit.change({ slotDecayPerSecond: 0.5 });
    expect(await active(limit)).toBe(4);
    moveClock(2_000);
    expect(await active(limit)).toBe(3);
    await limit.change({ slotDecayPerSecond: 0 });
    moveClock(60_000);
    expect(await active(limit)).toBe(3);
  });

  it("is set beside what leases hold, and reset together with it", async ({ expect }) => {
    const limit = new Limit(10);
    await take([limit], { slots: 2 });
    await limit.object.configure({ ...limit.settings, version: 2 }, 5);
    expect(await active(limit)).toBe(5);
    await limit.object.configure({ ...limit.settings, version: 3 }, 1);
    expect(await active(limit)).toBe(2);
    await take([limit], { slots: 3, ...LOOSE });
    await limit.object.reset([]);
    expect(await active(limit)).toBe(0);
  });

  it("never falls below nothing, however much is given back", async ({ expect }) => {
    for (const slotDecayPerSecond of [0, 0.001]) {
      const limit = new Limit(2, { slotDecayPerSecond });
      await take([limit], LOOSE);
      await limit.object.giveBack(5, null);
      await take([limit], { slots: 2, ...LOOSE });
      await expect(take([limit], LOOSE)).rejects.toThrow("There is no slot.");
    }
  });

  it("without a lease of several rate limits stays taken when their rows are forgotten", async ({ expect }) => {
    const limits = [new Limit(2, { slotDecayPerSecond: 0.001 }), new Limit(2, { slotDecayPerSecond: 0.001 })];
    await take(limits, LOOSE);
    for (const limit of limits) {
      await until("it knows that the slots are taken", async () => {
        const [row] = (await limit.object.status()).holders;
        return row !== undefined && (row.expiresAt ?? 0) - row.acquiredAt > SPANS.tentativeHoldMs;
      });
    }
    moveClock(60_000);
    for (const limit of limits) {
      expect((await limit.object.status()).holders).toEqual([]);
      expect(await active(limit)).toBe(1);
    }
  });

  it("without a lease of several limits is given back of each by number", async ({ expect }) => {
    const limits = [new Limit(3), new Limit(3)];
    await take(limits, { slots: 3, ...LOOSE });
    for (const limit of limits) {
      await limit.object.giveBack(2, null);
      expect(await active(limit)).toBe(1);
    }
  });

  it("is not another limit's, whose settings an object is told of", async ({ expect }) => {
    const limit = new Limit(1);
    await take([limit]);
    const other = { ...limit.settings, id: newId(), limit: 9, version: 9 };
    expect(await limit.object.configure(other, null)).toBe(false);
    await expect(take([limit])).rejects.toThrow("There is no slot.");
  });
});

describe("a lease on a rate limit", () => {
  it("runs out after those that were taken before it, and sooner once these were given back", async ({ expect }) => {
    const limit = new Limit(20, { slotDecayPerSecond: 0.5 });
    const [first, second] = [await take([limit], { slots: 4 }), await take([limit], { slots: 3 })];
    await take([limit], { slots: 2 });
    moveClock(2_000);
    // One of its four ran out.
    await release(first);
    expect(await active(limit)).toBe(5);
    moveClock(2_000);
    // Two ran out since the beginning, the first of which was the other lease's.
    await release(second);
    expect(await active(limit)).toBe(2);
  });
});

describe("a lease that lasts until it is released", () => {
  it("is not made to end by a renewal", async ({ expect }) => {
    const limit = new Limit(1);
    const leaseId = await take([limit], { ttlMs: null, holder: { type: "task_run", id: newId() } });
    expect(await home(leaseId).renew(leaseId, 1_000)).toBe(true);
    moveClock(60_000);
    expect(await active(limit)).toBe(1);
    await release(leaseId);
    expect(await active(limit)).toBe(0);
  });
});

describe("an object that forgets", () => {
  it("keeps the average occupancy, once its alarm has gone off", async ({ expect }) => {
    const limit = new Limit(1);
    const leaseId = await take([limit]);
    moveClock(10_000);
    await release(leaseId);
    await limit.alarm();
    const { averageOccupancyMs } = await limit.object.status();
    expect(averageOccupancyMs).toBeGreaterThan(5_900);
    await limit.evict("close");
    expect((await limit.object.status()).averageOccupancyMs).toBe(averageOccupancyMs);
  });

  it("has its alarm at the first end of a lease, whichever was taken first", async ({ expect }) => {
    const limit = new Limit(9);
    const alarmInMs = async () =>
      runInDurableObject(limit.stub, async (_, { storage }) => ((await storage.getAlarm()) ?? 0) - Date.now());
    for (const [ttlMs, atMost] of [
      [60_000, 60_000],
      [30_000, 30_000],
      [90_000, 30_000],
    ] as const) {
      await take([limit], { ttlMs });
      expect(await alarmInMs()).toBeGreaterThan(atMost - 20_000);
      expect(await alarmInMs()).toBeLessThanOrEqual(atMost);
    }
    await limit.evict("close");
    await take([limit], { ttlMs: 5_000 });
    expect(await alarmInMs()).toBeLessThanOrEqual(5_000);
  });

  it("tells the other limits of a lease that is over, although it was cut off before it did", async ({ expect }) => {
    const limits = [new Limit(1), new Limit(1)].sort((a, b) => (a.id < b.id ? -1 : 1));
    const [first, second] = limits as [Limit, Limit];
    await take(limits);
    await runInDurableObject(first.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE leases SET state = 'releasing', expires_at = 1");
    });
    await first.evict("close");
    expect([await active(first), await active(second)]).toEqual([0, 1]);
    await first.alarm();
    await until("the other one knows", async () => (await active(second)) === 0);
  });
});
