import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { call, freshName } from "../support/api.ts";
import { until } from "../support/runs.ts";

interface Limit {
  readonly id: string;
  readonly name: string;
  readonly active_slots: number;
  readonly limit: number;
}
interface Lease {
  readonly lease_id: string;
  readonly limits: readonly { readonly id: string; readonly name: string; readonly limit: number }[];
}
interface Occupancy {
  readonly holders: readonly { readonly lease_id: string; readonly slots: number; readonly holder: unknown }[];
  readonly waiters: readonly { readonly connected: boolean; readonly priority: number }[];
}

const LIMITS = "/v2/concurrency_limits";
const UNKNOWN_ID = "0193a000-0000-7000-8000-00000000dead";

async function aLimit(limit: number, more: Record<string, unknown> = {}): Promise<Limit> {
  return (await call<Limit>("POST", `${LIMITS}/`, { name: freshName("limit"), limit, ...more })).body;
}

async function activeSlots({ id }: Limit): Promise<number> {
  return (await call<Limit>("GET", `${LIMITS}/${id}`)).body.active_slots;
}

function lease(names: readonly string[], more: Record<string, unknown> = {}) {
  return call<Lease>("POST", `${LIMITS}/increment-with-lease`, { names, slots: 1, ...more });
}

/** Those in line, as soon as there is somebody. */
function waiters({ id }: Limit): Promise<Occupancy["waiters"]> {
  return until("somebody waits", async () => {
    const line = (await call<Occupancy>("GET", `${LIMITS}/${id}/holders`)).body.waiters;
    return line.length > 0 && line;
  });
}

/** The status and Retry-After of a request. */
async function refused(path: string, body: unknown): Promise<{ status: number; retryAfter: string | null }> {
  const response = await exports.default.fetch(`http://localhost:4200/api${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get("retry-after") };
}

describe("a concurrency limit", () => {
  it("is made, read by id and name, listed, changed and deleted", async ({ expect }) => {
    const name = freshName("limit");
    const made = await call<Limit>("POST", `${LIMITS}/`, { name, limit: 3 });
    expect(made).toMatchObject({
      status: 201,
      body: { name, limit: 3, active: true, active_slots: 0, denied_slots: 0, avg_slot_occupancy_seconds: 2 },
    });
    expect((await call("GET", `${LIMITS}/${name}`)).body).toMatchObject({ id: made.body.id, slot_decay_per_second: 0 });
    expect((await call("PATCH", `${LIMITS}/${name}`, { name: `${name}-b`, limit: 5 })).status).toBe(204);
    expect((await call("GET", `${LIMITS}/${made.body.id}`)).body).toMatchObject({ name: `${name}-b`, limit: 5 });
    const listed = await call<Limit[]>("POST", `${LIMITS}/filter`, {});
    expect(listed.body.map((limit) => limit.name)).toContain(`${name}-b`);
    expect((await call("DELETE", `${LIMITS}/${name}-b`)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) expect((await call(method, `${LIMITS}/${made.body.id}`)).status).toBe(404);
    expect((await call("PATCH", `${LIMITS}/${UNKNOWN_ID}`, { limit: 1 })).status).toBe(404);
  });

  it("has a name of its own, which is free of what addresses are made of", async ({ expect }) => {
    const [a, b] = [await aLimit(1), await aLimit(1)];
    expect((await call("POST", `${LIMITS}/`, { name: a.name, limit: 1 })).status).toBe(409);
    expect((await call("PATCH", `${LIMITS}/${a.id}`, { name: b.name })).status).toBe(409);
    expect((await call("POST", `${LIMITS}/`, { name: "a/b", limit: 1 })).status).toBe(422);
    expect((await call("POST", `${LIMITS}/`, { name: freshName("limit"), limit: -1 })).status).toBe(422);
  });

  it("keeps its holders under a new name", async ({ expect }) => {
    const limit = await aLimit(1);
    const held = await lease([limit.name]);
    await call("PATCH", `${LIMITS}/${limit.id}`, { name: `${limit.name}-new` });
    expect((await lease([`${limit.name}-new`])).status).toBe(423);
    expect((await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id: held.body.lease_id })).status).toBe(204);
    expect((await lease([`${limit.name}-new`])).status).toBe(200);
  });

  it("takes slots from nobody when it is lowered or made inactive, and counts those that are held", async ({
    expect,
  }) => {
    const limit = await aLimit(3);
    const held: string[] = [];
    for (let taken = 0; taken < 3; taken++) held.push((await lease([limit.name])).body.lease_id);
    const change = (what: object) => call("PATCH", `${LIMITS}/${limit.id}`, what);
    await change({ limit: 1 });
    for (const id of held) expect((await call("POST", `${LIMITS}/leases/${id}/renew`, {})).status).toBeLessThan(300);
    const giveBack = () => call("POST", `${LIMITS}/decrement-with-lease`, { lease_id: held.pop() });
    for (const left of [3, 2, 1]) {
      expect(await activeSlots(limit)).toBe(left);
      expect((await lease([limit.name])).status).toBe(423);
      if (left > 1) await giveBack();
    }
    await change({ active: false });
    expect((await lease([limit.name])).body.limits).toMatchObject([{ id: limit.id }]);
    await change({ active: true });
    expect(await activeSlots(limit)).toBe(1);
    expect((await lease([limit.name])).status).toBe(423);
    await giveBack();
    expect((await lease([limit.name])).status).toBe(200);
  });

  it("can be made with slots that are taken, and they can be set", async ({ expect }) => {
    const limit = await aLimit(5, { active_slots: 2 });
    expect(await activeSlots(limit)).toBe(2);
    await call("PATCH", `${LIMITS}/${limit.id}`, { active_slots: 4 });
    expect(await activeSlots(limit)).toBe(4);
  });
});

describe("a lease", () => {
  it("takes slots until it is released, and says who has them", async ({ expect }) => {
    const limit = await aLimit(2);
    const holder = { type: "task_run", id: UNKNOWN_ID };
    const held = await lease([limit.name], { slots: 2, holder });
    expect(held).toMatchObject({ status: 200, body: { limits: [{ id: limit.id, name: limit.name, limit: 2 }] } });
    expect(await activeSlots(limit)).toBe(2);
    const { body } = await call<Occupancy>("GET", `${LIMITS}/${limit.name}/holders`);
    expect(body.holders).toMatchObject([{ lease_id: held.body.lease_id, slots: 2, holder }]);
    const full = await refused(`${LIMITS}/increment-with-lease`, { names: [limit.name], slots: 1 });
    expect(full.status).toBe(423);
    expect(Number(full.retryAfter)).toBeGreaterThan(0);
    for (let times = 0; times < 2; times++) {
      const ended = await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id: held.body.lease_id });
      expect(ended.status).toBe(204);
    }
    expect(await activeSlots(limit)).toBe(0);
  });

  it("is renewed while it lives, and gone (410) afterwards", async ({ expect }) => {
    const limits = [await aLimit(1), await aLimit(1), await aLimit(1)];
    const { lease_id } = (await lease(limits.map(({ name }) => name))).body;
    const renew = () => call("POST", `${LIMITS}/leases/${lease_id}/renew`, { lease_duration: 60 });
    expect((await renew()).status).toBe(204);
    await call("DELETE", `${LIMITS}/${limits[1]?.id}`);
    expect(await renew()).toMatchObject({ status: 410, body: { code: "gone" } });
    for (const limit of [limits[0], limits[2]]) if (limit) expect(await activeSlots(limit)).toBe(0);
    expect((await call("POST", `${LIMITS}/leases/${UNKNOWN_ID}/renew`, {})).status).toBe(410);
  });

  it("is on all limits or on none", async ({ expect }) => {
    const limits = [await aLimit(1), await aLimit(1), await aLimit(2)];
    const names = limits.map(({ name }) => name);
    const first = await lease([names[1] ?? ""]);
    expect((await lease(names)).status).toBe(423);
    expect(await Promise.all(limits.map(activeSlots))).toEqual([0, 1, 0]);
    await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id: first.body.lease_id });
    expect((await lease(names)).status).toBe(200);
    expect(await Promise.all(limits.map(activeSlots))).toEqual([1, 1, 1]);
  });

  it("on names without a limit is granted, and on limits that are not active", async ({ expect }) => {
    const none = await lease([freshName("nothing")]);
    expect(none).toMatchObject({ status: 200, body: { limits: [] } });
    expect(await lease([])).toMatchObject({ status: 200, body: { limits: [] } });
    const idle = await aLimit(1, { active: false });
    for (let times = 0; times < 2; times++) {
      const held = await lease([idle.name]);
      expect(held).toMatchObject({ status: 200, body: { limits: [{ id: idle.id }] } });
      expect((await call("POST", `${LIMITS}/leases/${held.body.lease_id}/renew`, {})).status).toBe(204);
    }
    expect(await activeSlots(idle)).toBe(0);
  });

  it.for([
    [{ names: ["LIMIT"], slots: 3 }, "Slots requested is greater than the limit"],
    [{ names: ["LIMIT"], slots: 1, mode: "rate_limit" }, "Only concurrency limits with slot decay"],
    [{ names: ["LIMIT"], slots: 0 }, "Invalid request"],
    [{ names: ["LIMIT"], slots: 1, lease_duration: 59 }, "Invalid request"],
  ] as const)("is refused (422): %j", async ([body, message], { expect }) => {
    const limit = await aLimit(2);
    const request = { ...body, names: body.names.map(() => limit.name) };
    expect(await call("POST", `${LIMITS}/increment-with-lease`, request)).toMatchObject({
      status: 422,
      body: { exception_message: expect.stringContaining(message) },
    });
  });

  it("ends when its limit is reset", async ({ expect }) => {
    const limit = await aLimit(1);
    const { lease_id } = (await lease([limit.name])).body;
    await call("POST", `${LIMITS}/increment`, { names: [limit.name], slots: 1 });
    expect((await call("POST", `${LIMITS}/${limit.name}/reset`)).status).toBe(204);
    expect((await call("POST", `${LIMITS}/leases/${lease_id}/renew`, {})).status).toBe(410);
    expect((await lease([limit.name])).status).toBe(200);
  });
});

describe("slots without a lease", () => {
  it("are taken and given back by number, of one limit or several", async ({ expect }) => {
    const [a, b] = [await aLimit(3), await aLimit(2)];
    const names = [a.name, b.name];
    const taken = await call("POST", `${LIMITS}/increment`, { names, slots: 2 });
    expect(taken).toMatchObject({ status: 200, body: [{ id: a.id }, { id: b.id }] });
    expect((await call("POST", `${LIMITS}/increment`, { names, slots: 1 })).status).toBe(423);
    expect([await activeSlots(a), await activeSlots(b)]).toEqual([2, 2]);
    await call("POST", `${LIMITS}/decrement`, { names, slots: 1, occupancy_seconds: 4 });
    expect([await activeSlots(a), await activeSlots(b)]).toEqual([1, 1]);
    await call("POST", `${LIMITS}/decrement`, { names, slots: 5 });
    expect([await activeSlots(a), await activeSlots(b)]).toEqual([0, 0]);
    expect((await call("POST", `${LIMITS}/decrement`, { names: [freshName("nothing")], slots: 1 })).body).toEqual([]);
  });
});

describe("acquire", () => {
  const acquire = (body: Record<string, unknown>) => call<Lease>("POST", `${LIMITS}/acquire`, body);

  it("waits, and is handed the slot when it is free", async ({ expect }) => {
    const limit = await aLimit(1);
    const { lease_id } = (await lease([limit.name])).body;
    const waiting = acquire({ names: [limit.name], wait_seconds: 20, priority: 7 });
    expect(await waiters(limit)).toMatchObject([{ connected: true, priority: 7 }]);
    await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id });
    const granted = await waiting;
    expect(granted).toMatchObject({ status: 200, body: { limits: [{ id: limit.id }] } });
    const renewed = await call("POST", `${LIMITS}/leases/${granted.body.lease_id}/renew`, { lease_duration: 5 });
    expect(renewed.status).toBe(204);
    expect(await activeSlots(limit)).toBe(1);
  });

  it("answers 423 when the time to wait is over, and 404 for what strict asks to exist", async ({ expect }) => {
    const limit = await aLimit(1);
    await lease([limit.name]);
    expect((await acquire({ names: [limit.name] })).status).toBe(423);
    expect((await acquire({ names: [limit.name], wait_seconds: 0.05 })).status).toBe(423);
    // A pause is no impossible wish: the last question, which does not wait, is answered as the others.
    const paused = await aLimit(0);
    for (const more of [{}, { wait_seconds: 0.05 }]) {
      expect((await acquire({ names: [paused.name], ...more })).status).toBe(423);
    }
    expect((await acquire({ names: [freshName("nothing")], strict: true })).status).toBe(404);
    expect((await acquire({ names: [freshName("nothing")] })).body.limits).toEqual([]);
  });

  it("ends when whoever waits gives up its place, and the slot goes to the next", async ({ expect }) => {
    const limits = [await aLimit(1), await aLimit(1)];
    const names = limits.map(({ name }) => name);
    const leave = async (waiter_id: string) => (await call("POST", `${LIMITS}/leave`, { names, waiter_id })).status;
    for (const limit of limits) {
      const { lease_id } = (await lease([limit.name])).body;
      const waiter_id = crypto.randomUUID();
      const first = acquire({ names, wait_seconds: 20, waiter_id });
      await waiters(limit);
      const next = acquire({ names: [limit.name], wait_seconds: 20 });
      await until("both wait", async () => (await waiters(limit)).length === 2);
      expect(await leave(crypto.randomUUID())).toBe(204);
      expect(await waiters(limit)).toHaveLength(2);
      expect(await leave(waiter_id)).toBe(204);
      expect((await first).status).toBe(423);
      await until("one is left", async () => (await waiters(limit)).length === 1);
      await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id });
      expect((await next).status).toBe(200);
      await call("POST", `${LIMITS}/decrement-with-lease`, { lease_id: (await next).body.lease_id });
    }
  });

  it("goes on when the limit it waits for is raised, resumed from 0, made inactive or deleted", async ({ expect }) => {
    for (const change of [{ limit: 2 }, { active: false }, null, { limit: 1 }]) {
      const limit = await aLimit(change?.limit === 1 ? 0 : 1);
      if (change?.limit !== 1) await lease([limit.name]);
      const waiting = acquire({ names: [limit.name], wait_seconds: 20 });
      await waiters(limit);
      if (change === null) await call("DELETE", `${LIMITS}/${limit.id}`);
      else await call("PATCH", `${LIMITS}/${limit.id}`, change);
      expect((await waiting).status, JSON.stringify(change)).toBe(200);
    }
  });
});

describe("a limit on a tag", () => {
  const V1 = "/concurrency_limits";
  const RUNS = ["0193a000-0000-7000-8000-000000000001", "0193a000-0000-7000-8000-000000000002"] as const;

  it("is the limit tag:…, with the task runs that have its slots", async ({ expect }) => {
    const tag = freshName("tag");
    const made = await call<Limit>("POST", `${V1}/`, { tag, concurrency_limit: 1 });
    expect(made).toMatchObject({ status: 201, body: { tag, concurrency_limit: 1, active_slots: [] } });
    expect((await call("POST", `${V1}/`, { tag, concurrency_limit: 2 })).status).toBe(200);
    expect((await call("GET", `${LIMITS}/tag:${tag}`)).body).toMatchObject({ id: made.body.id, limit: 2 });
    for (const task_run_id of RUNS) {
      const taken = await call("POST", `${V1}/increment`, { names: [tag], task_run_id });
      expect(taken).toMatchObject({ status: 200, body: [{ id: made.body.id, name: tag, limit: 2 }] });
    }
    expect((await call("GET", `${V1}/tag/${tag}`)).body).toMatchObject({ active_slots: RUNS });
    const third = await refused(`${V1}/increment`, { names: [tag], task_run_id: UNKNOWN_ID });
    expect(third).toMatchObject({ status: 423, retryAfter: expect.stringMatching(/^\d/) });
    const given = await call("POST", `${V1}/decrement`, { names: [tag], task_run_id: RUNS[0] });
    expect(given).toMatchObject({ status: 200, body: [{ name: `tag:${tag}` }] });
    expect((await call("GET", `${V1}/${made.body.id}`)).body).toMatchObject({ active_slots: [RUNS[1]] });
  });

  it("is reset, to nobody or to the runs named, listed and deleted", async ({ expect }) => {
    const tag = freshName("tag");
    const made = await call<Limit>("POST", `${V1}/`, { tag, concurrency_limit: 2 });
    await call("POST", `${V1}/increment`, { names: [tag], task_run_id: RUNS[0] });
    expect((await call("POST", `${V1}/tag/${tag}/reset`, { slot_override: [RUNS[1]] })).status).toBe(200);
    const listed = (await call<{ tag: string; active_slots: string[] }[]>("POST", `${V1}/filter`, {})).body;
    expect(listed.find((limit) => limit.tag === tag)).toMatchObject({ active_slots: [RUNS[1]] });
    await call("POST", `${V1}/tag/${tag}/reset`, {});
    expect((await call("GET", `${V1}/tag/${tag}`)).body).toMatchObject({ active_slots: [] });
    expect((await call("DELETE", `${V1}/tag/${tag}`)).status).toBe(200);
    expect((await call("GET", `${V1}/${made.body.id}`)).status).toBe(404);
  });

  it("of 0 lets nobody in", async ({ expect }) => {
    const tag = freshName("tag");
    await call("POST", `${V1}/`, { tag, concurrency_limit: 0 });
    const answer = await call("POST", `${V1}/increment`, { names: [tag], task_run_id: UNKNOWN_ID });
    expect(answer).toMatchObject({ status: 423, body: { detail: expect.stringContaining("is 0 and will deadlock") } });
  });
});

describe("a task run whose owner decides, with a limited tag", () => {
  const propose = async (id: string, type: string) =>
    (
      await call<{ status: string; details: { delay_seconds?: number; reason?: string } }>(
        "POST",
        `/task_runs/${id}/set_state`,
        { state: { type } },
      )
    ).body;
  const aTask = async (tag: string) => {
    const request = { task_key: "t", dynamic_key: crypto.randomUUID(), tags: [tag, "free"], flow_run_id: null };
    return (await call<{ id: string }>("POST", "/task_runs/", request)).body.id;
  };

  it("runs with a slot, waits without one, and gives it back at its end", async ({ expect }) => {
    await call("POST", "/concurrency_limits/", { tag: "rest-db", concurrency_limit: 1 });
    const [first, second] = [await aTask("rest-db"), await aTask("rest-db")];
    expect((await propose(first, "RUNNING")).status).toBe("ACCEPT");
    expect(await propose(second, "RUNNING")).toMatchObject({
      status: "WAIT",
      details: { delay_seconds: expect.any(Number), reason: "Concurrency limit reached for tags: rest-db" },
    });
    const holders = async () =>
      (await call<{ active_slots: string[] }>("GET", "/concurrency_limits/tag/rest-db")).body.active_slots;
    expect(await holders()).toEqual([first]);
    await propose(first, "COMPLETED");
    await until("the slot is free", async () => (await holders()).length === 0);
    expect((await propose(second, "RUNNING")).status).toBe("ACCEPT");
    await call("DELETE", `/task_runs/${second}`);
    await until("a deleted run holds nothing", async () => (await holders()).length === 0);
  });

  it("is stopped where the limit is 0", async ({ expect }) => {
    await call("POST", "/concurrency_limits/", { tag: "rest-closed", concurrency_limit: 0 });
    expect((await propose(await aTask("rest-closed"), "RUNNING")).status).toBe("ABORT");
  });
});
