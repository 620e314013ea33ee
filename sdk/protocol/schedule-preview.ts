/** When a schedule would be due, before it is saved. Beyond Prefect's API. */
import { z } from "zod";
import { Schedule } from "./deployments.ts";
import { endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** A schedule, and which of its times are wanted. */
export const SchedulePreviewRequest = z.object({
  schedule: Schedule,
  /** The first moment that counts; by default, and at the earliest, now. */
  start_at: WireTime.nullish(),
  /** The last moment that counts. Default: none. */
  end_at: WireTime.nullish(),
  /** Times that are wanted. Default: 10. */
  count: z.int().min(1).max(LIMITS.schedulePreviewTimes).nullish(),
});
export type SchedulePreviewRequest = z.infer<typeof SchedulePreviewRequest>;

/** The times at which the schedule is due. */
export const SchedulePreview = z.object({
  /** Ascending; fewer than wanted when the schedule ends before. */
  times: z.array(WireTime),
});
export type SchedulePreview = z.infer<typeof SchedulePreview>;

/** 422 for a schedule that is none, such as a cron expression that cannot be read. */
export const previewSchedule = endpoint({
  id: "preview_schedule",
  method: "POST",
  path: "/schedules/preview",
  tag: "Deployments",
  role: "viewer",
  summary: "List the next times at which a schedule would be due, without saving it.",
  body: SchedulePreviewRequest,
  returns: SchedulePreview,
});
