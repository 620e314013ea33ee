/** Runs that schedules have ahead of them and that are not to run: their schedule has changed, or is gone. */
import { type SQL, sql } from "drizzle-orm";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { Db } from "../open.ts";
import { deploymentSchedules } from "../schema/deployments.ts";
import { flowRunKeys, flowRuns } from "../schema/flow-runs.ts";
import { backfills, schedulePolicies, scheduleProgress } from "../schema/schedules.ts";

/**
 * Removes the dormant runs of deployments and has their schedules looked at anew. For a batch with the change that
 * asks for it, so that nothing that was made for the old schedule outlives it.
 */
export function clearAhead(db: Db, ofDeployment: SQL, now: number) {
  const ahead = sql`${flowRuns.deploymentId} ${ofDeployment} AND ${flowRuns.dormant} = 1`;
  return [
    db.delete(flowRunKeys).where(sql`(${flowRunKeys.flowId}, ${flowRunKeys.key}) IN (
      SELECT ${flowRuns.flowId}, ${flowRuns.doc} ->> '$.idempotency_key' FROM ${flowRuns} WHERE ${ahead})`),
    db.delete(flowRuns).where(ahead),
    db
      .update(scheduleProgress)
      .set({ nextCheckAt: 0, lastDueAt: sql`min(${scheduleProgress.lastDueAt}, ${now})` })
      .where(sql`${scheduleProgress.deploymentId} ${ofDeployment}`),
  ] as const;
}

/** For a batch with the removal of schedules: what is kept of them beside their rows. */
export function forgetSchedules(db: Db, ofSchedule: SQL) {
  return [
    db.delete(scheduleProgress).where(sql`${scheduleProgress.scheduleId} ${ofSchedule}`),
    db.delete(schedulePolicies).where(sql`${schedulePolicies.scheduleId} ${ofSchedule}`),
  ] as const;
}

/** For a batch with the removal of deployments: everything about their schedules but their rows, and the runs ahead. */
export function forgetDeployments(db: Db, ofDeployment: SQL, now: number) {
  return [
    ...forgetSchedules(
      db,
      sql`IN (SELECT ${deploymentSchedules.id} FROM ${deploymentSchedules} WHERE ${deploymentSchedules.deploymentId} ${ofDeployment})`,
    ),
    ...clearAhead(db, ofDeployment, now),
    db.delete(backfills).where(sql`${backfills.deploymentId} ${ofDeployment}`),
  ] as const;
}

/** Runs that schedules of a deployment made, that wait for their first start, and that their owners have already. */
export async function waitingRuns(env: Env, id: DeploymentId): Promise<FlowRunId[]> {
  const { results } = await env.DB.prepare(
    `SELECT id FROM flow_runs
     WHERE deployment_id = ? AND state_type = 'SCHEDULED' AND dormant <> 1 AND doc ->> '$.run_count' = 0
       AND coalesce(state_name, '') <> 'AwaitingConcurrencySlot' AND doc ->> '$.auto_scheduled' = 1`,
  )
    .bind(id)
    .all<{ id: FlowRunId }>();
  return results.map((run) => run.id);
}
