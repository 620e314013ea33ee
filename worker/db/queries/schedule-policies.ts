/** What schedules do beyond Prefect's. A schedule without a row does nothing of the kind. */
import { and, eq, sql } from "drizzle-orm";
import type { DeploymentId } from "#protocol/ids";
import { DEFAULT_POLICY, type SchedulePolicy } from "#protocol/schedule-policies";
import { openDb } from "../open.ts";
import { deploymentSchedules } from "../schema/deployments.ts";
import { schedulePolicies } from "../schema/schedules.ts";
import { clearAhead } from "./scheduled-runs.ts";

/** Null when there is no such schedule. */
export async function schedulePolicy(env: Env, id: DeploymentId, scheduleId: string): Promise<SchedulePolicy | null> {
  const [row] = await openDb(env)
    .select({ policy: schedulePolicies.policy })
    .from(deploymentSchedules)
    .leftJoin(schedulePolicies, eq(schedulePolicies.scheduleId, deploymentSchedules.id))
    .where(and(eq(deploymentSchedules.deploymentId, id), eq(deploymentSchedules.id, scheduleId)));
  return row ? { ...DEFAULT_POLICY, ...row.policy } : null;
}

/** Sets the policy of a schedule that exists; the runs ahead of it are made anew. */
export async function putSchedulePolicy(
  env: Env,
  id: DeploymentId,
  scheduleId: string,
  policy: SchedulePolicy,
): Promise<void> {
  const db = openDb(env);
  const now = Date.now();
  await db.batch([
    db
      .insert(schedulePolicies)
      .values({ scheduleId, deploymentId: id, policy })
      .onConflictDoUpdate({ target: schedulePolicies.scheduleId, set: { policy } }),
    // What is being made for the policy before is not written any more.
    db.update(deploymentSchedules).set({ updated: now }).where(eq(deploymentSchedules.id, scheduleId)),
    ...clearAhead(db, sql`= ${id}`, now),
  ]);
}
