/** Before a run of a schedule that must not overlap is claimed, its schedule's line is asked; others ask nobody. */
import { BACKFILL_LABEL } from "#protocol/backfills";
import type { FlowRunId } from "#protocol/ids";
import { OVERLAP_LABEL, OverlapPolicy } from "#protocol/schedule-policies";
import type { StateCreate } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import type { BatchSender } from "./queue-batches.ts";
import type { ScheduleLineOwner } from "./schedule-line-owner.ts";
import { skippedFor, waitsForEarlier } from "./schedule-states.ts";
import type { RunSpec } from "./storage/run-rows.ts";

/** The state that a run gets instead of PENDING; null when it may be claimed. */
export async function heldBack(
  lines: Env["SCHEDULE_LINES"],
  id: FlowRunId,
  spec: RunSpec | null,
  now: EpochMs,
): Promise<StateCreate | null> {
  const line = lineOf(lines, spec);
  if (line === null) return null;
  const admission = await line.owner.admit(id, line.overlap);
  if (admission.kind === "go") return null;
  return admission.kind === "skip" ? skippedFor(admission.for) : waitsForEarlier(admission.for, now);
}

/** Whether somebody waits for the end of the run: the next one of its schedule, or of its backfill. */
export function isAwaited(spec: RunSpec | null): boolean {
  return spec?.labels[OVERLAP_LABEL] !== undefined || spec?.labels[BACKFILL_LABEL] !== undefined;
}

/** Tells who waits for it that a run has ended. */
export async function tellAwaiting(
  lines: Env["SCHEDULE_LINES"],
  dispatch: BatchSender,
  id: FlowRunId,
  spec: RunSpec,
): Promise<void> {
  await lineOf(lines, spec)?.owner.ended(id);
  const backfill = spec.labels[BACKFILL_LABEL];
  if (backfill !== undefined) await dispatch.send({ backfill_id: backfill, ended_run_id: id });
}

function lineOf(lines: Env["SCHEDULE_LINES"], spec: RunSpec | null) {
  const overlap = OverlapPolicy.safeParse(spec?.labels[OVERLAP_LABEL]).data;
  const scheduleId = spec?.createdBy?.type === "SCHEDULE" ? spec.createdBy.id : null;
  if (overlap === undefined || overlap === "ALLOW" || !scheduleId) return null;
  return { overlap, owner: lines.getByName(scheduleId) as ScheduleLineOwner };
}
