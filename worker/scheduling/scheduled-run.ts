/** The run of a schedule at a due time, as it stands in D1 until its owner hears of it. */
import { VERSION_LABEL } from "#protocol/deployment-versions";
import type { Schedule } from "#protocol/deployments";
import { type FlowRun, FlowRunPolicy } from "#protocol/flow-runs";
import type { FlowRunId, StateId } from "#protocol/ids";
import { OVERLAP_LABEL } from "#protocol/schedule-policies";
import { NO_DETAILS } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import { zoneOf } from "#schedules/due-times";
import { randomName } from "../create-flow-run.ts";
import type { ScheduleToFollow } from "../db/queries/scheduling.ts";

export interface RunIds {
  readonly run: FlowRunId;
  readonly state: StateId;
}

/** `startsAt` is when it is to start: at its due time, or a little later. */
export function scheduledRun(
  from: ScheduleToFollow,
  { dueAt, startsAt, isAutomatic }: { dueAt: EpochMs; startsAt: EpochMs; isAutomatic: boolean },
  ids: RunIds,
  now: EpochMs,
): FlowRun {
  const at = toWireTime(now);
  const start = toWireTime(startsAt);
  return {
    id: ids.run,
    created: at,
    updated: at,
    name: randomName(),
    flow_id: from.flowId,
    state_id: ids.state,
    deployment_id: from.deploymentId,
    deployment_version: from.details.version,
    work_queue_id: from.queue?.id ?? null,
    work_queue_name: from.queue?.name ?? null,
    work_pool_id: from.pool?.id ?? null,
    work_pool_name: from.pool?.name ?? null,
    flow_version: null,
    parameters: { ...from.details.parameters, ...from.parameters },
    idempotency_key: keyOf(from, dueAt),
    context: {},
    empirical_policy: FlowRunPolicy.parse({}),
    tags: isAutomatic ? ["auto-scheduled", ...from.tags] : [...from.tags],
    labels: {
      ...from.flowLabels,
      "prefect.flow.id": from.flowId,
      ...from.details.labels,
      "prefect.deployment.id": from.deploymentId,
      [VERSION_LABEL]: from.versionNumber,
      ...(from.policy && from.policy.overlap !== "ALLOW" ? { [OVERLAP_LABEL]: from.policy.overlap } : {}),
    },
    parent_task_run_id: null,
    state_type: "SCHEDULED",
    state_name: "Scheduled",
    run_count: 0,
    expected_start_time: start,
    next_scheduled_start_time: start,
    start_time: null,
    end_time: null,
    total_run_time: 0,
    estimated_run_time: 0,
    estimated_start_time_delta: 0,
    auto_scheduled: isAutomatic,
    infrastructure_document_id: from.details.infrastructure_document_id,
    infrastructure_pid: null,
    created_by: { id: from.id, type: "SCHEDULE", display_value: from.slug ?? kindOf(from.schedule) },
    job_variables: {},
    state: {
      id: ids.state,
      type: "SCHEDULED",
      name: "Scheduled",
      timestamp: at,
      message: "Flow run scheduled",
      data: null,
      state_details: { ...NO_DETAILS, flow_run_id: ids.run, scheduled_time: start },
    },
  };
}

/** Unique for a due time of a schedule: whoever comes second with it makes nothing. */
function keyOf(from: ScheduleToFollow, dueAt: EpochMs): string {
  return `scheduled ${from.deploymentId} ${from.id} ${clockTime(from.schedule, dueAt)}`;
}

/** The due time by the schedule's clock, as Python writes it: upstream's keys look so. */
function clockTime(schedule: Schedule, at: EpochMs): string {
  const offset = zoneOf(schedule).offsetAt(at);
  const wall = toWireTime((at + offset) as EpochMs).slice(0, -1);
  const [date, time = ""] = wall.split("T");
  const minutes = Math.abs(Math.round(offset / 60_000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${date} ${time.replace(/\.000000$/, "")}${zone}`;
}

function kindOf(schedule: Schedule): string {
  return "cron" in schedule ? "CronSchedule" : "interval" in schedule ? "IntervalSchedule" : "RRuleSchedule";
}
