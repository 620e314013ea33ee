/** Ten thousand active deployments are followed within one minute's tick, and what a scheduled run costs in rows. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { it } from "vitest";
import type { EpochMs } from "#protocol/time";
import { schedulesToCheck } from "../../worker/db/queries/scheduling.ts";
import { followSchedules } from "../../worker/scheduling/follow-schedules.ts";
import { offerSoonDue } from "../../worker/scheduling/offer-soon-due.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { Meter } from "./support/meter.ts";

const HOUR_MS = 3_600_000;
const COUNT = (env as { TEST_BUDGET?: string }).TEST_BUDGET === "full" ? 10_000 : 1_000;
/** A page as it comes through the queue. */
const PAGE = 250;

interface Scheduled {
  readonly schedules: readonly { readonly id: string }[];
}

async function followAll(at: number): Promise<number> {
  let made = 0;
  const due = await schedulesToCheck(env, at as EpochMs);
  for (let from = 0; from < due.length; from += PAGE) {
    made += await followSchedules(env, due.slice(from, from + PAGE), at as EpochMs);
  }
  return made;
}

it(`follows ${COUNT} deployments in a fraction of a minute`, { timeout: 120_000 }, async ({ expect }) => {
  const one = await aDeployment({ schedules: [{ schedule: { cron: "0 * * * *", timezone: "Europe/London" } }] });
  await env.DB.batch([
    env.DB.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
      INSERT INTO deployments (id, flow_id, name, paused, tags, doc, created, updated)
      SELECT printf('00000000-0000-7000-8000-%012d', i), flow_id, 'copy-' || i, 0, tags, doc, created, updated
      FROM deployments, n WHERE deployments.id = ?1`).bind(one.id, COUNT),
    env.DB.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
      INSERT INTO deployment_schedules (id, deployment_id, active, schedule, parameters, created, updated)
      SELECT printf('00000000-0000-7000-8001-%012d', i), printf('00000000-0000-7000-8000-%012d', i), 1, schedule,
        parameters, created, updated
      FROM deployment_schedules, n WHERE deployment_id = ?1`).bind(one.id, COUNT),
  ]);
  const start = Date.now();
  expect(await followAll(start)).toBe(3 * COUNT);
  const first = Date.now();
  expect(await followAll(start)).toBe(0);
  const idle = Date.now();
  expect(await followAll(start + HOUR_MS)).toBe(COUNT + 1);
  const next = Date.now();
  console.info(
    `${COUNT} schedules: ${first - start} ms to make three runs each, ${idle - first} ms to find nothing to do, ` +
      `${next - idle} ms to make one more each`,
  );
  expect(((next - idle) * 10_000) / COUNT).toBeLessThan(60_000);
  await env.DB.batch([
    env.DB.prepare("DELETE FROM deployments WHERE name LIKE 'copy-%'"),
    env.DB.prepare("DELETE FROM deployment_schedules WHERE id LIKE '00000000-0000-7000-8001-%'"),
  ]);
});

it("writes seven rows for a run that is scheduled, and five when its owner takes it over", async ({ expect }) => {
  const pool = await aPool();
  const made = await aDeployment({
    work_pool_name: pool.name,
    paused: true,
    schedules: [{ schedule: { interval: 7200 } }],
  });
  const state = await runInDurableObject(env.FLOW_RUNS.getByName("meter"), (_, { storage }) => storage);
  using meter = new Meter(state);
  const { schedules } = made as unknown as Scheduled;
  await env.DB.prepare("UPDATE deployments SET paused = 0 WHERE id = ?").bind(made.id).run();
  const before = meter.d1Rows;
  const runs = await followSchedules(env, [schedules[0]?.id ?? ""], Date.now() as EpochMs);
  expect(runs).toBe(3);
  // The run, its key, five indexes; and one row for how far the schedule has been followed.
  expect(meter.d1Rows - before).toBe(7 * runs + 1);
  const { results } = await env.DB.prepare("SELECT id FROM flow_runs WHERE deployment_id = ?")
    .bind(made.id)
    .all<{ id: string }>();
  const taken = meter.d1Rows;
  await call("PATCH", `/flow_runs/${results[0]?.id}`, { name: "awake" });
  await scheduler.wait(300);
  expect(meter.d1Rows - taken).toBeLessThanOrEqual(5);
});

it("offers all runs that are due soon, however many pages they fill", async ({ expect }) => {
  const pool = await aPool();
  const often = { work_pool_name: pool.name, paused: true, schedules: [{ schedule: { interval: 1 } }] };
  const made = [];
  for (let count = 0; count < 6; count++) made.push((await aDeployment(often)) as unknown as Scheduled);
  await env.DB.prepare("UPDATE deployments SET paused = 0 WHERE work_pool_id = ?").bind(pool.id).run();
  const now = Date.now() as EpochMs;
  await followSchedules(
    env,
    made.map(({ schedules }) => schedules[0]?.id ?? ""),
    now,
  );
  await offerSoonDue(env, now);
  expect((await env.WORK_POOLS.getByName(pool.name).status()).ready).toBe(600);
  await env.DB.prepare("UPDATE deployments SET paused = 1 WHERE work_pool_id = ?").bind(pool.id).run();
});
