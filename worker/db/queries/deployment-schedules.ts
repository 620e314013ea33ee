/** The schedules of deployments, one at a time. */
import { and, eq } from "drizzle-orm";
import type { DeploymentScheduleUpdate } from "#protocol/deployment-operations";
import type { DeploymentSchedule, DeploymentScheduleCreate, Schedule } from "#protocol/deployments";
import type { DeploymentId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { openDb } from "../open.ts";
import { deploymentSchedules } from "../schema/deployments.ts";
import { violatesUnique } from "../unique.ts";

const SLUG = "deployment_schedules.deployment_id";

/** Null, and nothing is stored, when a slug is taken. */
export async function insertSchedules(
  env: Env,
  id: DeploymentId,
  schedules: readonly DeploymentScheduleCreate[],
): Promise<DeploymentSchedule[] | null> {
  const db = openDb(env);
  const rows = schedules.map((schedule) => scheduleRow(id, schedule));
  const [first, ...others] = rows.map((row) => db.insert(deploymentSchedules).values(row));
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
  try {
    const [row] = await openDb(env)
      .update(deploymentSchedules)
      .set({
        ...(change.schedule !== undefined ? { schedule: settled(change.schedule, Date.now()) } : {}),
        ...(change.active != null ? { active: change.active } : {}),
        ...(change.max_scheduled_runs !== undefined ? { maxScheduledRuns: change.max_scheduled_runs } : {}),
        ...(change.parameters != null ? { parameters: change.parameters } : {}),
        ...(change.slug !== undefined ? { slug: change.slug } : {}),
        updated: Date.now(),
      })
      .where(one(id, scheduleId))
      .returning({ id: deploymentSchedules.id });
    return row ? "changed" : "unknown";
  } catch (error) {
    if (violatesUnique(error, SLUG)) return "slug taken";
    throw error;
  }
}

export async function deleteSchedule(env: Env, id: DeploymentId, scheduleId: string): Promise<boolean> {
  const [row] = await openDb(env)
    .delete(deploymentSchedules)
    .where(one(id, scheduleId))
    .returning({ id: deploymentSchedules.id });
  return row !== undefined;
}

export function scheduleRow(
  id: DeploymentId,
  schedule: DeploymentScheduleCreate,
): typeof deploymentSchedules.$inferSelect {
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
  if (!("interval" in schedule)) return schedule;
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
