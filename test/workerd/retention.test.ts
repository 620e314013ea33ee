/** What is removed when it was kept for long enough, and what never is. Time is moved by looking from a later instant. */
import {
  createExecutionContext,
  createScheduledController,
  runDurableObjectAlarm,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { isTerminal, STATE_TYPES, type StateType } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import { retentionTerms } from "../../durable-objects/retention-terms.ts";
import { ownerOfTask, taskPartitionOf } from "../../durable-objects/task-run-owner.ts";
import { isRetentionMinute, removeExpired } from "../../worker/cron/retention.ts";
import worker from "../../worker/index.ts";
import { aDeployment, aFlow, aPool, call, freshName } from "./support/api.ts";
import { movableClock } from "./support/pools.ts";
import { ownerStub, until } from "./support/runs.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const move = movableClock();

function inDays(days: number): EpochMs {
  return (Date.now() + days * DAY_MS) as EpochMs;
}

async function aRun(type: StateType, more: Record<string, unknown> = {}): Promise<FlowRun> {
  const flow = await aFlow();
  const { body } = await call<FlowRun>("POST", "/flow_runs/", { flow_id: flow.id, state: { type }, ...more });
  await copied(body.id, type);
  return body;
}

/** Waits until D1 has the run in this state. */
async function copied(id: string, type: StateType | null): Promise<void> {
  await until("the copy", async () => {
    const row = await env.DB.prepare("SELECT state_type FROM flow_runs WHERE id = ?").bind(id).first();
    return row?.["state_type"] === type;
  });
}

async function isThere(id: FlowRunId): Promise<{ owner: boolean; list: boolean }> {
  const { status } = await call("GET", `/flow_runs/${id}`);
  const list = await call<FlowRun[]>("POST", "/flow_runs/filter", { flow_runs: { id: { any_: [id] } } });
  return { owner: status === 200, list: list.body.length === 1 };
}
const THERE = { owner: true, list: true };
const GONE = { owner: false, list: false };

async function rows(table: string, column: string, id: string): Promise<number> {
  const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`)
    .bind(id)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

describe("a run that has ended", () => {
  it.for(STATE_TYPES.filter(isTerminal))("%s stays for 30 days and is then removed", async (type, { expect }) => {
    const run = await aRun(type);
    await removeExpired(env, inDays(29.99));
    expect(await isThere(run.id)).toEqual(THERE);
    await removeExpired(env, inDays(30.01));
    expect(await isThere(run.id)).toEqual(GONE);
  });

  it("takes its task runs, logs, artifacts and idempotency key with it", async ({ expect }) => {
    const flow = await aFlow();
    const request = { flow_id: flow.id, state: { type: "RUNNING" }, idempotency_key: "once" };
    const run = (await call<FlowRun>("POST", "/flow_runs/", request)).body;
    await call("POST", "/task_runs/", {
      flow_run_id: run.id,
      task_key: "t",
      dynamic_key: "0",
      state: { type: "RUNNING" },
    });
    await call("POST", "/artifacts/", { flow_run_id: run.id, key: "report", data: "x" });
    const other = await call<{ id: string }>("POST", "/artifacts/", { key: "report", data: "not of a run" });
    const log = { flow_run_id: run.id, level: 20, name: "n", message: "m", timestamp: new Date().toISOString() };
    await call("POST", "/logs/", [log]);
    await call("POST", `/flow_runs/${run.id}/set_state`, { state: { type: "COMPLETED" }, force: true });
    await copied(run.id, "COMPLETED");
    await until("the task's copy", async () => (await rows("task_runs", "flow_run_id", run.id)) === 1);

    await removeExpired(env, inDays(31));
    expect(await isThere(run.id)).toEqual(GONE);
    expect(await rows("task_runs", "flow_run_id", run.id)).toBe(0);
    expect(await rows("artifacts", "flow_run_id", run.id)).toBe(0);
    expect(await rows("flow_run_keys", "flow_run_id", run.id)).toBe(0);
    expect(await rows("artifacts", "id", other.body.id)).toBe(1);
    const logs = await call<unknown[]>("POST", "/logs/filter", { logs: { flow_run_id: { any_: [run.id] } } });
    expect(logs.body).toEqual([]);
    const again = await call<FlowRun>("POST", "/flow_runs/", request);
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(run.id);
  });

  it("counts from its end, not from when it was made", async ({ expect }) => {
    const run = await aRun("COMPLETED");
    await env.DB.prepare("UPDATE flow_runs SET end_time = ? WHERE id = ?").bind(inDays(20), run.id).run();
    await removeExpired(env, inDays(31));
    expect(await isThere(run.id)).toEqual(THERE);
  });

  it("stays while its parent has not ended, and goes by its own age afterwards", async ({ expect }) => {
    const parent = await aRun("RUNNING");
    const standIn = await call<{ id: string }>("POST", "/task_runs/", {
      flow_run_id: parent.id,
      task_key: "sub",
      dynamic_key: "0",
      state: { type: "RUNNING" },
    });
    await until("the task's copy", async () => (await rows("task_runs", "id", standIn.body.id)) === 1);
    const child = await aRun("COMPLETED", { parent_task_run_id: standIn.body.id });
    await removeExpired(env, inDays(40));
    expect([await isThere(parent.id), await isThere(child.id)]).toEqual([THERE, THERE]);
    await call("POST", `/flow_runs/${parent.id}/set_state`, { state: { type: "COMPLETED" }, force: true });
    await copied(parent.id, "COMPLETED");
    await env.DB.prepare("UPDATE flow_runs SET end_time = ? WHERE id = ?").bind(inDays(20), parent.id).run();
    await removeExpired(env, inDays(40));
    expect([await isThere(parent.id), await isThere(child.id)]).toEqual([THERE, GONE]);
  });
});

describe("a task run outside flows", () => {
  const aTask = async (type: StateType, key = freshName("loose")): Promise<TaskRun> => {
    const request = { task_key: key, dynamic_key: "0", state: { type } };
    return (await call<TaskRun>("POST", "/task_runs/", request)).body;
  };
  const logsOf = async (id: string): Promise<number> => {
    const { body } = await call<unknown[]>("POST", "/logs/filter", { logs: { task_run_id: { any_: [id] } } });
    return body.length;
  };
  const aLine = (ids: Record<string, string>) =>
    call("POST", "/logs/", [{ ...ids, level: 20, name: "n", message: "m", timestamp: new Date().toISOString() }]);

  it.for(STATE_TYPES.filter(isTerminal))(
    "that ended %s goes 30 days later with its logs and its key",
    async (type, { expect }) => {
      const task = await aTask(type);
      await aLine({ task_run_id: task.id });
      expect(await logsOf(task.id)).toBe(1);
      await removeExpired(env, inDays(29.99));
      expect((await call("GET", `/task_runs/${task.id}`)).status).toBe(200);
      expect((await removeExpired(env, inDays(30.01))).taskRuns).toBeGreaterThanOrEqual(1);
      expect((await call("GET", `/task_runs/${task.id}`)).status).toBe(404);
      expect([await rows("task_runs", "id", task.id), await rows("task_run_keys", "task_run_id", task.id)]).toEqual([
        0, 0,
      ]);
      expect(await logsOf(task.id)).toBe(0);
      expect((await aTask(type, task.task_key)).id).not.toBe(task.id);
    },
  );

  it("that has not ended stays, whatever its copy says", async ({ expect }) => {
    const task = await aTask("RUNNING");
    await env.DB.prepare("UPDATE task_runs SET state_type = 'COMPLETED', end_time = 1 WHERE id = ?")
      .bind(task.id)
      .run();
    await removeExpired(env, inDays(400));
    expect((await call("GET", `/task_runs/${task.id}`)).status).toBe(200);
    expect(await rows("task_runs", "id", task.id)).toBe(1);
  });

  it("goes from D1 where its removal was cut short", async ({ expect }) => {
    const task = await aTask("COMPLETED");
    expect(await ownerOfTask(env, task.id).removeEnded([task.id], inDays(1))).toEqual([task.id]);
    expect(await rows("task_runs", "id", task.id)).toBe(1);
    await removeExpired(env, inDays(31));
    expect(await rows("task_runs", "id", task.id)).toBe(0);
  });

  it("is not needed for lines to go: those of runs that nobody knows go 30 days after they came", async ({
    expect,
  }) => {
    const nobody = crypto.randomUUID();
    await aLine({ task_run_id: nobody });
    const owner = env.TASK_RUNS.getByName(taskPartitionOf(nobody as TaskRunId));
    move(29 * DAY_MS);
    await runDurableObjectAlarm(owner);
    expect(await logsOf(nobody)).toBe(1);
    move(2 * DAY_MS);
    await runDurableObjectAlarm(owner);
    expect(await logsOf(nobody)).toBe(0);
  });
});

describe("an API key", () => {
  it("goes 30 days after it was revoked or expired", async ({ expect }) => {
    const keys = [
      ["revoked long ago", { revoked: -31 }],
      ["revoked lately", { revoked: -29 }],
      ["expired long ago", { expires: -31 }],
      ["expired lately", { expires: -29 }],
      ["valid", { expires: 1 }],
      ["for ever", {}],
    ] as const;
    for (const [name, days] of keys) {
      const at = (span: number | undefined) => (span === undefined ? null : Date.now() + span * DAY_MS);
      await env.DB.prepare(
        "INSERT INTO api_keys (id, hash, name, role, expires, revoked, created, updated) VALUES (?, ?, ?, 'viewer', ?, ?, 1, 1)",
      )
        .bind(
          crypto.randomUUID(),
          crypto.randomUUID(),
          name,
          at("expires" in days ? days.expires : undefined),
          at("revoked" in days ? days.revoked : undefined),
        )
        .run();
    }
    expect((await removeExpired(env, inDays(0))).keys).toBe(2);
    const { results } = await env.DB.prepare("SELECT name FROM api_keys ORDER BY name").all<{ name: string }>();
    expect(results.map(({ name }) => name)).toEqual(["expired lately", "for ever", "revoked lately", "valid"]);
  });
});

describe("a run that has not ended", () => {
  it.for(STATE_TYPES.filter((type) => !isTerminal(type)))("%s is never removed", async (type, { expect }) => {
    const run = await aRun(type);
    await removeExpired(env, inDays(10_000));
    expect(await isThere(run.id)).toEqual(THERE);
  });

  it("is not removed although its copy says that it ended", async ({ expect }) => {
    const run = await aRun("RUNNING");
    await env.DB.prepare("UPDATE flow_runs SET state_type = 'COMPLETED', end_time = 1 WHERE id = ?").bind(run.id).run();
    expect((await removeExpired(env, inDays(10_000))).runs).toBe(0);
    expect(await isThere(run.id)).toEqual(THERE);
  });

  it("is not removed when it ended once and was started again", async ({ expect }) => {
    const deployment = await aDeployment({ work_pool_name: (await aPool()).name });
    const made = await call<FlowRun>("POST", `/deployments/${deployment.id}/create_flow_run`, {
      state: { type: "SCHEDULED" },
    });
    const { id } = made.body;
    for (const type of ["FAILED", "SCHEDULED"])
      await call("POST", `/flow_runs/${id}/set_state`, { state: { type }, force: true });
    await copied(id, "SCHEDULED");
    await removeExpired(env, inDays(10_000));
    expect(await isThere(id)).toEqual(THERE);
  });

  it("survives whatever runs of whatever age are around it", async ({ expect }) => {
    const kinds = fc.array(
      fc.record({ type: fc.constantFrom(...STATE_TYPES), ageDays: fc.integer({ min: 0, max: 60 }) }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    const now = inDays(100);
    await fc.assert(
      fc.asyncProperty(kinds, async (wishes) => {
        const made: { id: FlowRunId; stays: boolean }[] = [];
        for (const { type, ageDays } of wishes) {
          const run = await aRun(type);
          const endTime = isTerminal(type) ? now - ageDays * DAY_MS : null;
          await env.DB.prepare("UPDATE flow_runs SET end_time = ? WHERE id = ?").bind(endTime, run.id).run();
          made.push({ id: run.id, stays: !isTerminal(type) || ageDays <= 30 });
        }
        await removeExpired(env, now);
        for (const { id, stays } of made) expect(await isThere(id)).toEqual(stays ? THERE : GONE);
      }),
      { numRuns: 15 },
    );
  });
});

describe("the removal", () => {
  it("goes on where its budget left it, the oldest first", async ({ expect }) => {
    await env.DB.exec("DELETE FROM flow_runs");
    const flow = await aFlow();
    const ids: FlowRunId[] = [];
    for (let made = 0; made < 60; made += 1) {
      ids.push(
        (
          await call<FlowRun>("POST", "/flow_runs/", {
            flow_id: flow.id,
            state: { type: made % 2 ? "FAILED" : "COMPLETED" },
          })
        ).body.id,
      );
    }
    ids.sort();
    const left = async () =>
      (
        await env.DB.prepare("SELECT id FROM flow_runs WHERE flow_id = ? ORDER BY id")
          .bind(flow.id)
          .all<{ id: FlowRunId }>()
      ).results.map(({ id }) => id);
    expect((await removeExpired(env, inDays(31), { timeMs: 0 })).runs).toBe(0);
    expect((await removeExpired(env, inDays(31), { pages: 1 })).runs).toBe(25);
    expect(await left()).toEqual(ids.slice(25));
    expect((await removeExpired(env, inDays(31), { pages: 1 })).runs).toBe(25);
    expect((await removeExpired(env, inDays(31))).runs).toBe(10);
    expect((await removeExpired(env, inDays(31))).runs).toBe(0);
    expect(await left()).toEqual([]);
  });

  it("finishes what was cut short between the owner and D1", async ({ expect }) => {
    const run = await aRun("COMPLETED");
    expect(await ownerStub(run.id).remove([run.id], { kind: "ended", before: inDays(1) })).toEqual([run.id]);
    expect(await isThere(run.id)).toEqual({ owner: false, list: true });
    await removeExpired(env, inDays(31));
    expect(await isThere(run.id)).toEqual(GONE);
  });

  it("keeps for ever where the configuration says 0 or nothing that is a number", async ({ expect }) => {
    const run = await aRun("COMPLETED");
    for (const days of ["0", "a month", "-1"]) {
      await removeExpired({ ...env, SLUICE_RUN_RETENTION_DAYS: days } as unknown as Env, inDays(10_000));
      expect(await isThere(run.id)).toEqual(THERE);
    }
    await removeExpired({ ...env, SLUICE_RUN_RETENTION_DAYS: "0.5" } as unknown as Env, inDays(0.6));
    expect(await isThere(run.id)).toEqual(GONE);
  });

  it("has terms for events too", ({ expect }) => {
    expect(retentionTerms(env).eventMs).toBe(7 * DAY_MS);
  });

  it("takes workers that were silent for 30 days, and dead letters that old", async ({ expect }) => {
    const pool = await aPool();
    for (const name of ["silent", "recent", "online"])
      await call("POST", `/work_pools/${pool.name}/workers/heartbeat`, { name });
    const seen = (days: number, status: string, name: string) =>
      env.DB.prepare("UPDATE workers SET last_heartbeat_time = ?, status = ? WHERE name = ? AND work_pool_id = ?")
        .bind(Date.now() - days * DAY_MS, status, name, pool.id)
        .run();
    await seen(31, "OFFLINE", "silent");
    await seen(29, "OFFLINE", "recent");
    await seen(31, "ONLINE", "online");
    for (const [id, days] of [
      ["old-letter", 31],
      ["new-letter", 29],
    ] as const) {
      await env.DB.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, 'q', '1', 1, ?)")
        .bind(id, Date.now() - days * DAY_MS)
        .run();
    }
    expect(await removeExpired(env, inDays(0))).toMatchObject({ workers: 1, deadLetters: 1 });
    const { body } = await call<{ name: string }[]>("POST", `/work_pools/${pool.name}/workers/filter`, {});
    expect(body.map(({ name }) => name).sort()).toEqual(["online", "recent"]);
    expect([await rows("dead_letters", "id", "old-letter"), await rows("dead_letters", "id", "new-letter")]).toEqual([
      0, 1,
    ]);
  });

  it("reads a range of an index, and no table whole", async ({ expect }) => {
    const { results } = await env.DB.prepare(
      `EXPLAIN QUERY PLAN SELECT id FROM flow_runs WHERE state_type = 'COMPLETED' AND id > '' AND id < 'x'
        AND (end_time IS NULL OR end_time < 1) ORDER BY id LIMIT 25`,
    ).all<{ detail: string }>();
    expect(results.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/SEARCH flow_runs USING INDEX flow_runs_state/),
    ]);
  });

  it("is done once an hour, by the minute's tick", async ({ expect }) => {
    const minutes = Array.from({ length: 60 }, (_, minute) => Date.UTC(2026, 10, 21, 5, minute, 3));
    expect(minutes.filter(isRetentionMinute)).toHaveLength(1);
    const name = freshName("letter");
    await env.DB.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, 'q', '1', 1, 1)")
      .bind(name)
      .run();
    for (const scheduledTime of minutes) {
      const ctx = createExecutionContext();
      await worker.scheduled(createScheduledController({ scheduledTime: new Date(scheduledTime) }), env, ctx);
      await waitOnExecutionContext(ctx);
      if (isRetentionMinute(scheduledTime)) break;
      expect(await rows("dead_letters", "id", name)).toBe(1);
    }
    expect(await rows("dead_letters", "id", name)).toBe(0);
  });
});
