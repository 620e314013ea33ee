/** Runs that schedules have ahead of them and that are not to run: their schedule has changed, or is gone. */
import { type SQL, sql } from "drizzle-orm";
import type { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import type { Db } from "../open.ts";

/**
 * Removes the dormant runs of deployments and has their schedules looked at anew. For a batch with the change that
 * asks for it, so that nothing that was made for the old schedule outlives it.
 */
export function clearAhead(db: Db, ofDeployment: SQL, now: number) {
  return [
    db.run(sql`DELETE FROM flow_run_keys WHERE (flow_id, key) IN (
      SELECT flow_id, doc ->> '$.idempotency_key' FROM flow_runs WHERE deployment_id ${ofDeployment} AND dormant = 1)`),
    db.run(sql`DELETE FROM flow_runs WHERE deployment_id ${ofDeployment} AND dormant = 1`),
    db.run(sql`UPDATE schedule_progress SET next_check_at = 0, last_due_at = min(last_due_at, ${now})
      WHERE deployment_id ${ofDeployment}`),
  ] as const;
}

/** For a batch with the removal of schedules: what is kept of them beside their rows. */
export function forgetSchedules(db: Db, ofSchedule: SQL) {
  return [
    db.run(sql`DELETE FROM schedule_progress WHERE schedule_id ${ofSchedule}`),
    db.run(sql`DELETE FROM schedule_policies WHERE schedule_id ${ofSchedule}`),
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
