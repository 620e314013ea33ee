/** Much at once: a thousand runs for few workers, a thousand workers for a server that comes back, ten thousand schedules. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseOf } from "../../test/support/d1-file.ts";
import { jsonClient } from "../http.ts";
import { perSecond, type Row } from "../rows/row.ts";
import { startMeasuredServer } from "../server.ts";
import { freePort, until } from "../substrate/start.ts";
import { connected, play } from "./driven-worker.ts";
import { POOL, startSetting } from "./setting.ts";

const RUNS = 1_000;
const BULK = 100;
const WORKERS = 4;
const SLOTS = 4;
const RETURNING = 1_000;
const SCHEDULES = 10_000;

export async function drainRow(): Promise<Row> {
  await using setting = await startSetting();
  const { origin } = setting.server;
  let done = 0;
  let failed = 0;
  const all = Promise.withResolvers<void>();
  const workers = await connected(WORKERS, {
    origin,
    pool: POOL,
    limit: SLOTS,
    onRun: (ticket, worker) =>
      void play(origin, ticket)
        .catch(() => failed++)
        .then(() => {
          worker.released(ticket);
          if (++done === RUNS) all.resolve();
        }),
  });
  const begin = performance.now();
  const path = `/api/deployments/${setting.deploymentId}/create_flow_run/bulk`;
  const batch = Array.from({ length: BULK }, () => ({}));
  await Promise.all(Array.from({ length: RUNS / BULK }, () => setting.client.call("POST", path, batch)));
  const triggeredMs = performance.now() - begin;
  await all.promise;
  const tookMs = performance.now() - begin;
  for (const worker of workers) worker.stop();
  return {
    name: `${RUNS} runs at once, drained by ${WORKERS} workers of ${SLOTS} slots that execute nothing`,
    figure: `${tookMs.toFixed(0)} ms, ${perSecond((RUNS * 1_000) / tookMs)}; all made after ${triggeredMs.toFixed(0)} ms (${failed} failed)`,
    ratio: "–",
    aim: "–",
  };
}

/** The server is killed and started again on the same port; each worker comes back with full jitter. */
export async function returnRow(): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const port = await freePort();
  try {
    const first = await startMeasuredServer(folder, port);
    const client = jsonClient(first.origin);
    await client.call("POST", "/api/work_pools/", { name: POOL, type: "process" });
    client.close();
    const welcomes: number[] = [];
    const onWelcome = (): void => void welcomes.push(performance.now());
    const workers = await connected(RETURNING, {
      origin: first.origin,
      pool: POOL,
      limit: 4,
      onRun: () => {},
      onWelcome,
    });
    const before = workers.reduce((sum, { attempts }) => sum + attempts, 0);
    welcomes.length = 0;
    await first[Symbol.asyncDispose]();
    await using _second = await startMeasuredServer(folder, port);
    const healthyAt = performance.now();
    await until(async () => welcomes.length >= RETURNING, 60_000, "all workers are back");
    const lastMs = Math.max(...welcomes) - healthyAt;
    const tries = workers.reduce((sum, { attempts }) => sum + attempts, 0) - before;
    for (const worker of workers) worker.stop();
    return {
      name: `${RETURNING} workers come back after a restart of the server`,
      figure: `the last one ${lastMs.toFixed(0)} ms after the server was healthy, ${(tries / RETURNING).toFixed(1)} attempts each, at most ${mostWithin(100, welcomes)} welcomed within 100 ms`,
      ratio: "–",
      aim: "all within 10 s (the longest wait), and no storm",
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tick is the cron's own: the figure is from its full minute to the last run that it makes. */
export async function tickRow(budget: number): Promise<Row> {
  const count = Math.ceil(SCHEDULES * Math.min(1, budget));
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  try {
    {
      await using seeded = await startMeasuredServer(folder);
      const client = jsonClient(seeded.origin);
      const flow = await client.call<{ id: string }>("POST", "/api/flows/", { name: "bench" });
      const schedules = [{ schedule: { cron: "0 * * * *", timezone: "Europe/London" } }];
      await client.call("POST", "/api/deployments/", { name: "one", flow_id: flow.body.id, schedules });
      client.close();
    }
    copyDeployments(databaseOf(folder), count);
    // A tick right after the start would be measured with the start.
    const toNextMs = 60_000 - (Date.now() % 60_000);
    if (toNextMs < 10_000) await sleep(toNextMs + 1_000);
    await using server = await startMeasuredServer(folder);
    const client = jsonClient(server.origin);
    const made = async (): Promise<number> => (await client.call<number>("POST", "/api/flow_runs/count", {})).body;
    const tickAt = Math.ceil(Date.now() / 60_000) * 60_000;
    const wanted = 3 * (count + 1);
    const isMade = async (): Promise<boolean> => {
      await sleep(200);
      return (await made()) >= wanted;
    };
    await until(isMade, 180_000, "every schedule has its runs");
    const tookMs = Date.now() - tickAt;
    client.close();
    return {
      name: `one tick of the cron with ${count} deployments that have no runs ahead yet, three for each`,
      figure: `${(tookMs / 1_000).toFixed(1)} s from the full minute, ${perSecond((wanted * 1_000) / tookMs)} runs`,
      ratio: "–",
      aim: "10,000 within the minute",
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function copyDeployments(file: string, count: number): void {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    db.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO deployments (id, flow_id, name, paused, tags, doc, created, updated)
      SELECT printf('00000000-0000-7000-8000-%012d', i), flow_id, 'copy-' || i, 0, tags, doc, created, updated
      FROM deployments, n WHERE name = 'one'`).run(count);
    db.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO deployment_schedules (id, deployment_id, active, schedule, parameters, created, updated)
      SELECT printf('00000000-0000-7000-8001-%012d', i), printf('00000000-0000-7000-8000-%012d', i), 1, schedule,
        parameters, created, updated
      FROM deployment_schedules, n LIMIT ?`).run(count, count);
  } finally {
    db.close();
  }
}

function mostWithin(spanMs: number, times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while ((sorted[to] ?? 0) - (sorted[from] ?? 0) > spanMs) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
