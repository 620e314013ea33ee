/** Runs that schedules have ahead of them and that are not to run: their schedule has changed, or is gone. */
import { type SQL, sql } from "drizzle-orm";
import type { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import type { Db } from "../open.ts";
import { flowRunKeys, flowRuns } from "../schema/flow-runs.ts";
import { schedulePolicies, scheduleProgress } from "../schema/schedules.ts";

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

export interface WaitingRun {
  readonly id: FlowRunId;
  readonly flowId: FlowId;
  readonly key: string | null;
}

/** Runs of a deployment that wait for their first start and that their owners have already. */
export async function waitingRuns(
  env: Env,
  id: DeploymentId,
  { isAutomatic }: { isAutomatic: boolean },
): Promise<WaitingRun[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, flow_id AS flowId, doc ->> '$.idempotency_key' AS key FROM flow_runs
     WHERE deployment_id = ?1 AND state_type = 'SCHEDULED' AND dormant <> 1 AND doc ->> '$.run_count' = 0
       AND coalesce(state_name, '') <> 'AwaitingConcurrencySlot' AND (?2 = 0 OR doc ->> '$.auto_scheduled' = 1)`,
  )
    .bind(id, isAutomatic ? 1 : 0)
    .all<WaitingRun>();
  return results;
}
