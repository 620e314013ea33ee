/** The schedules of deployments, one at a time. */
import { and, eq, sql } from "drizzle-orm";
import type {
  DeploymentSchedule,
  DeploymentScheduleCreate,
  DeploymentScheduleUpdate,
  Schedule,
} from "#protocol/deployments";
import type { DeploymentId } from "#protocol/ids";
import { policyOf } from "#protocol/schedule-policies";
import { type EpochMs, toWireTime } from "#protocol/time";
import { normalizeRrule } from "#schedules/normalize-rrule";
import { newId } from "../../new-id.ts";
import { type Db, openDb } from "../open.ts";
import { deploymentSchedules } from "../schema/deployments.ts";
import { schedulePolicies } from "../schema/schedules.ts";
import { violatesUnique } from "../unique.ts";
import { clearAhead, forgetSchedules } from "./scheduled-runs.ts";

const SLUG = "deployment_schedules.deployment_id";

/** Null, and nothing is stored, when a slug is taken. */
export async function insertSchedules(
  env: Env,
  id: DeploymentId,
  schedules: readonly DeploymentScheduleCreate[],
): Promise<DeploymentSchedule[] | null> {
  const db = openDb(env);
  const made = schedules.map((schedule) => insertSchedule(db, id, schedule));
  const rows = made.map(({ row }) => row);
  const [first, ...others] = made.flatMap(({ statements }) => statements);
  if (!first) return [];
  try {
    await db.batch([first, ...others]);
  } catch (error) {
    if (violatesUnique(error, SLUG)) return null;
    throw error;
  }
  return rows.map(toSchedule);
}

export async function changeSchedule(
  env: Env,
  id: DeploymentId,
  scheduleId: string,
  change: DeploymentScheduleUpdate,
): Promise<"changed" | "unknown" | "slug taken"> {
  const db = openDb(env);
  const now = Date.now();
  try {
    const [rows] = await db.batch([
      db
        .update(deploymentSchedules)
        .set(columnsOf(change, now))
        .where(one(id, scheduleId))
        .returning({ id: deploymentSchedules.id }),
      ...policyStatements(db, id, scheduleId, change),
      ...clearAhead(db, sql`= ${id}`, now),
    ]);
    return rows.length > 0 ? "changed" : "unknown";
  } catch (error) {
    if (violatesUnique(error, SLUG)) return "slug taken";
    throw error;
  }
}

/** The columns that a change names. */
export function columnsOf(change: DeploymentScheduleUpdate, now: number) {
  return {
    ...(change.schedule !== undefined ? { schedule: settled(change.schedule, now) } : {}),
    ...(change.active != null ? { active: change.active } : {}),
    ...(change.max_scheduled_runs !== undefined ? { maxScheduledRuns: change.max_scheduled_runs } : {}),
    ...(change.parameters != null ? { parameters: change.parameters } : {}),
    ...(change.slug !== undefined ? { slug: change.slug } : {}),
    updated: now,
  };
}

export async function deleteSchedule(env: Env, id: DeploymentId, scheduleId: string): Promise<boolean> {
  const db = openDb(env);
  const [rows] = await db.batch([
    db.delete(deploymentSchedules).where(one(id, scheduleId)).returning({ id: deploymentSchedules.id }),
    ...forgetSchedules(db, sql`= ${scheduleId}`),
    ...clearAhead(db, sql`= ${id}`, Date.now()),
  ]);
  return rows.length > 0;
}

/** A new schedule, with its policy if it has one. */
export function insertSchedule(db: Db, id: DeploymentId, schedule: DeploymentScheduleCreate) {
  const row = scheduleRow(id, schedule);
  const statements = [
    db.insert(deploymentSchedules).values(row),
    ...policyStatements(db, id, row.id, schedule),
  ] as const;
  return { row, statements };
}

/** Stores what is said of a policy; for a batch with the schedule. A schedule that is not there gets none. */
export function policyStatements(db: Db, id: DeploymentId, scheduleId: string, { policy }: DeploymentScheduleUpdate) {
  if (policy == null) return [];
  const whole = JSON.stringify(policyOf(policy));
  return [
    db
      .insert(schedulePolicies)
      .select(
        sql`SELECT id, ${id}, ${whole} FROM deployment_schedules WHERE id = ${scheduleId} AND deployment_id = ${id}`,
      )
      .onConflictDoUpdate({ target: schedulePolicies.scheduleId, set: { policy: sql`excluded.policy` } }),
  ];
}

function scheduleRow(id: DeploymentId, schedule: DeploymentScheduleCreate): typeof deploymentSchedules.$inferSelect {
  const now = Date.now();
  return {
    id: newId(),
    deploymentId: id,
    slug: schedule.slug ?? null,
    active: schedule.active ?? true,
    schedule: settled(schedule.schedule, now),
    parameters: schedule.parameters ?? {},
    maxScheduledRuns: schedule.max_scheduled_runs ?? null,
    created: now,
    updated: now,
  };
}

/** An interval counts from a fixed moment: from now, unless somebody says otherwise. */
function settled(schedule: Schedule, now: number): Schedule {
  if ("rrule" in schedule) {
    const timezone = schedule.timezone || "UTC";
    return { ...schedule, timezone, rrule: normalizeRrule(schedule.rrule, timezone, now as EpochMs) };
  }
  if ("cron" in schedule) return { ...schedule, timezone: schedule.timezone ?? null, day_or: schedule.day_or ?? true };
  return {
    ...schedule,
    anchor_date: schedule.anchor_date ?? toWireTime(now as EpochMs),
    timezone: schedule.timezone ?? "UTC",
  };
}

export function toSchedule(row: typeof deploymentSchedules.$inferSelect): DeploymentSchedule {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    deployment_id: row.deploymentId as DeploymentId,
    schedule: "cron" in row.schedule ? { ...row.schedule, day_or: row.schedule.day_or ?? true } : row.schedule,
    active: row.active,
    max_scheduled_runs: row.maxScheduledRuns,
    parameters: row.parameters,
    slug: row.slug,
  };
}

function one(id: DeploymentId, scheduleId: string) {
  return and(eq(deploymentSchedules.deploymentId, id), eq(deploymentSchedules.id, scheduleId));
}
