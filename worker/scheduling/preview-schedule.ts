/** When a schedule that nobody has saved yet would be due. */
import type { SchedulePreview, SchedulePreviewRequest } from "#protocol/schedule-preview";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { dueTimes } from "#schedules/due-times";
import { checkSchedules } from "./check-schedules.ts";

const DEFAULT_COUNT = 10;

/** Fails when the schedule is not one. */
export function previewSchedule(request: SchedulePreviewRequest, now: EpochMs): SchedulePreview {
  const { schedule, start_at, end_at } = request;
  checkSchedules([{ schedule }], ["body"]);
  const count = request.count ?? DEFAULT_COUNT;
  const start = start_at == null ? now : (Math.max(now, fromWireTime(start_at)) as EpochMs);
  const end = end_at == null ? Number.POSITIVE_INFINITY : fromWireTime(end_at);
  const times: EpochMs[] = [];
  for (const at of dueTimes(schedule, start)) {
    if (at > end || times.push(at) === count) break;
  }
  return { times: times.map(toWireTime) };
}
