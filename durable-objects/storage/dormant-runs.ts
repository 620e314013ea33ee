/**
 * Dormant runs: rows of D1 that no object has heard of yet. A run is taken over with a compare-and-set on its row, so
 * that who removes dormant rows cannot remove one that is being taken.
 *
 * `dormant` is 1 until then, 2 while the owner stores the run, and 0 as soon as the owner's copy arrives. A crash between
 * the two leaves 2, which is taken over again.
 */
import type { DeploymentDetails } from "#protocol/deployments";
import { ON_LOST_LABEL, TTL_LABEL } from "#protocol/flow-control";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId, WorkPoolId, WorkQueueId } from "#protocol/ids";
import { fromWireTime } from "#protocol/time";
import type { RunPlacement } from "../flow-run-owner.ts";
import type { RunSpec } from "./run-rows.ts";

const TAKE = "UPDATE flow_runs SET dormant = 2 WHERE id = ?1 AND dormant = 1";
const READ = `SELECT flow_runs.doc, deployments.doc AS details, work_pools.name AS pool_name,
    work_queues.id AS queue_id, work_queues.name AS queue_name, work_queues.priority,
    deployment_flow_controls.doc ->> '$.time_to_live_seconds' AS time_to_live_seconds,
    deployment_flow_controls.doc ->> '$.on_lost' AS on_lost
  FROM flow_runs LEFT JOIN deployments ON deployments.id = flow_runs.deployment_id
    LEFT JOIN work_pools ON work_pools.id = flow_runs.work_pool_id
    LEFT JOIN work_queues ON work_queues.id = flow_runs.doc ->> '$.work_queue_id'
    LEFT JOIN deployment_flow_controls ON deployment_flow_controls.deployment_id = flow_runs.deployment_id
  WHERE flow_runs.id = ?1 AND flow_runs.dormant > 0`;

type Row = {
  doc: string;
  details: string | null;
  pool_name: string | null;
  queue_id: WorkQueueId | null;
  queue_name: string | null;
  priority: number | null;
  time_to_live_seconds: number | null;
  on_lost: string | null;
};

/** Without taking it over. Null when there is no such run, or when its owner has it. */
export async function readDormant(db: D1Database, id: FlowRunId): Promise<FlowRun | null> {
  const row = await db
    .prepare("SELECT doc FROM flow_runs WHERE id = ? AND dormant > 0")
    .bind(id)
    .first<{ doc: string }>();
  return row && (JSON.parse(row.doc) as FlowRun);
}

/** Takes a run over for its owner, which has to store it. Null when there is no such run. */
export async function takeDormant(db: D1Database, id: FlowRunId): Promise<{ run: FlowRun; spec: RunSpec } | null> {
  const [, read] = await db.batch<Row>([db.prepare(TAKE).bind(id), db.prepare(READ).bind(id)]);
  const row = read?.results[0];
  if (!row) return null;
  const run = JSON.parse(row.doc) as FlowRun;
  const spec = specOf(run, placementOf(run, row));
  // What its deployment says by now: its row may be older.
  const labels = {
    ...(row.time_to_live_seconds === null ? {} : { [TTL_LABEL]: row.time_to_live_seconds }),
    ...(row.on_lost === null ? {} : { [ON_LOST_LABEL]: row.on_lost }),
  };
  return { run, spec: { ...spec, labels: { ...labels, ...spec.labels } } };
}

function placementOf(run: FlowRun, row: Row): RunPlacement | null {
  if (row.pool_name === null || run.work_pool_id === null) return null;
  const details = row.details === null ? null : (JSON.parse(row.details) as DeploymentDetails);
  return {
    poolName: row.pool_name,
    poolId: run.work_pool_id as WorkPoolId,
    queue: {
      id: row.queue_id,
      name: row.queue_name ?? run.work_queue_name ?? "default",
      priority: row.priority ?? 1,
    },
    entrypoint: details?.entrypoint ?? null,
    path: details?.path ?? null,
    pullSteps: details?.pull_steps ?? null,
    jobVariables: { ...details?.job_variables, ...run.job_variables },
  };
}

function specOf(run: FlowRun, placement: RunPlacement | null): RunSpec {
  return {
    name: run.name,
    flowId: run.flow_id,
    deploymentId: run.deployment_id,
    deploymentVersion: run.deployment_version,
    flowVersion: run.flow_version,
    parameters: run.parameters,
    context: run.context,
    tags: run.tags,
    labels: run.labels,
    idempotencyKey: run.idempotency_key,
    parentTaskRunId: run.parent_task_run_id,
    infrastructureDocumentId: run.infrastructure_document_id,
    jobVariables: run.job_variables,
    createdBy: run.created_by,
    autoScheduled: run.auto_scheduled,
    placement,
    createdAt: fromWireTime(run.created),
  };
}
