/** Backfills, and which of their runs are open. */
import { and, desc, eq } from "drizzle-orm";
import { BACKFILL_LABEL, type Backfill, type BackfillStatus } from "#protocol/backfills";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { TERMINAL_STATES } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import { openDb } from "../open.ts";
import { backfills } from "../schema/schedules.ts";

type Row = typeof backfills.$inferSelect;

export interface BackfillProgress {
  readonly backfill: Backfill;
  readonly madeUntil: EpochMs | null;
  readonly open: readonly FlowRunId[];
}

export async function insertBackfill(env: Env, row: Row): Promise<Backfill> {
  await openDb(env).insert(backfills).values(row);
  return toBackfill(row);
}

export async function backfillById(env: Env, id: string): Promise<Backfill | null> {
  const [row] = await openDb(env).select().from(backfills).where(eq(backfills.id, id));
  return row ? toBackfill(row) : null;
}

export async function backfillsOf(env: Env, id: DeploymentId, limit: number): Promise<Backfill[]> {
  const rows = await openDb(env)
    .select()
    .from(backfills)
    .where(eq(backfills.deploymentId, id))
    .orderBy(desc(backfills.id))
    .limit(limit);
  return rows.map(toBackfill);
}

export async function runningBackfills(env: Env): Promise<string[]> {
  const rows = await openDb(env).select({ id: backfills.id }).from(backfills).where(eq(backfills.status, "RUNNING"));
  return rows.map(({ id }) => id);
}

const OPEN = `SELECT flow_runs.id FROM flow_runs JOIN backfills ON backfills.deployment_id = flow_runs.deployment_id
  WHERE backfills.id = ?1 AND flow_runs.doc ->> ?2 = ?1
    AND coalesce(state_type, '') NOT IN (SELECT value FROM json_each(?3)) AND flow_runs.id <> ?4`;

/** As of one moment. `ended` is a run that has ended whatever its copy says. Null when there is no such backfill. */
export async function backfillProgress(
  env: Env,
  id: string,
  ended: FlowRunId | null,
): Promise<BackfillProgress | null> {
  const db = openDb(env);
  const label = `$.labels."${BACKFILL_LABEL}"`;
  const { sql, params } = db.select().from(backfills).where(eq(backfills.id, id)).toSQL();
  const [known, open] = await env.DB.batch<Record<string, unknown>>([
    env.DB.prepare(sql).bind(...params),
    env.DB.prepare(OPEN).bind(id, label, JSON.stringify([...TERMINAL_STATES]), ended ?? ""),
  ]);
  const raw = known?.results[0];
  if (!raw) return null;
  const madeUntil = raw["made_until"] as EpochMs | null;
  const row = {
    id: raw["id"],
    deploymentId: raw["deployment_id"],
    scheduleId: raw["schedule_id"],
    status: raw["status"],
    madeUntil,
    made: raw["made"],
    doc: JSON.parse(String(raw["doc"])),
    created: raw["created"],
    updated: raw["updated"],
  } as Row;
  return { backfill: toBackfill(row), madeUntil, open: (open?.results ?? []).map((run) => run["id"] as FlowRunId) };
}

/** Notes that runs were made; of two who do it at once, the one that was first. Answers its status then, or null. */
export async function noteMade(
  env: Env,
  backfill: Backfill,
  madeUntil: EpochMs,
  made: number,
): Promise<BackfillStatus | null> {
  const [row] = await openDb(env)
    .update(backfills)
    .set({ madeUntil, made: backfill.made + made, updated: Date.now() })
    .where(and(eq(backfills.id, backfill.id), eq(backfills.made, backfill.made)))
    .returning({ status: backfills.status });
  return row?.status ?? null;
}

/** False when the backfill is not running. */
export async function endBackfill(env: Env, id: string, status: BackfillStatus): Promise<boolean> {
  const rows = await openDb(env)
    .update(backfills)
    .set({ status, updated: Date.now() })
    .where(and(eq(backfills.id, id), eq(backfills.status, "RUNNING")))
    .returning({ id: backfills.id });
  return rows.length > 0;
}

function toBackfill(row: Row): Backfill {
  return {
    ...row.doc,
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    deployment_id: row.deploymentId as DeploymentId,
    schedule_id: row.scheduleId,
    status: row.status,
    made: row.made,
  };
}
