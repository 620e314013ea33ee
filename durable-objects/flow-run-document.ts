/** The wire documents of runs, made from what the owner stores. */
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { type EpochMs, fromWireTime, toWireTime, type WireTime } from "#protocol/time";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";

/** The flow run as the API answers it; `now` fills in what depends on the moment of reading. */
export function flowRunDocument(id: FlowRunId, spec: RunSpec, row: RunRow, now: EpochMs): FlowRun {
  const { record } = row;
  const state = record.state;
  return withEstimates(
    {
      id,
      created: toWireTime(spec.createdAt),
      updated: toWireTime(row.updatedAt),
      name: spec.name,
      flow_id: spec.flowId,
      state_id: state?.id ?? null,
      deployment_id: spec.deploymentId,
      deployment_version: spec.deploymentVersion,
      work_queue_id: spec.placement?.queue.id ?? null,
      work_queue_name: spec.placement?.queue.name ?? null,
      work_pool_id: spec.placement?.poolId ?? null,
      work_pool_name: spec.placement?.poolName ?? null,
      flow_version: spec.flowVersion,
      parameters: spec.parameters,
      idempotency_key: spec.idempotencyKey,
      context: spec.context,
      empirical_policy: record.policy,
      tags: [...spec.tags],
      labels: spec.labels,
      parent_task_run_id: spec.parentTaskRunId,
      state_type: state?.type ?? null,
      state_name: state?.name ?? null,
      run_count: record.runCount,
      expected_start_time: wireTime(record.expectedStartTime),
      next_scheduled_start_time: wireTime(record.nextScheduledStartTime),
      start_time: wireTime(record.startTime),
      end_time: wireTime(record.endTime),
      total_run_time: record.totalRunTimeMs / 1000,
      estimated_run_time: 0,
      estimated_start_time_delta: 0,
      auto_scheduled: spec.autoScheduled,
      infrastructure_document_id: spec.infrastructureDocumentId,
      infrastructure_pid: record.infrastructurePid,
      created_by: spec.createdBy,
      job_variables: spec.jobVariables ?? {},
      state,
    },
    now,
  );
}

interface Timed {
  readonly state_type: string | null;
  readonly state: { readonly timestamp: WireTime } | null;
  readonly total_run_time: number;
  readonly expected_start_time: WireTime | null;
  readonly start_time: WireTime | null;
}

/**
 * Fills in `estimated_run_time` (the running time so far, in seconds) and `estimated_start_time_delta` (how late the
 * run started, or is by now, in seconds), as upstream computes them on read.
 */
export function withEstimates<T extends Timed>(run: T, now: EpochMs): T {
  const running = run.state_type === "RUNNING" && run.state ? (now - fromWireTime(run.state.timestamp)) / 1000 : 0;
  let delta = 0;
  if (run.expected_start_time !== null) {
    const expected = fromWireTime(run.expected_start_time);
    const waits = run.state_type === "SCHEDULED" || run.state_type === "PENDING" || run.state_type === null;
    if (run.start_time !== null) delta = Math.max(0, (fromWireTime(run.start_time) - expected) / 1000);
    else if (waits) delta = Math.max(0, (now - expected) / 1000);
  }
  return { ...run, estimated_run_time: run.total_run_time + Math.max(0, running), estimated_start_time_delta: delta };
}

function wireTime(at: EpochMs | null): WireTime | null {
  return at === null ? null : toWireTime(at);
}
