import * as api from "#protocol/schedule-preview";
import type { EpochMs } from "#protocol/time";
import { previewSchedule } from "../scheduling/preview-schedule.ts";
import { type App, serve } from "../serve.ts";

export function schedulePreviewRoutes(app: App): void {
  serve(app, api.previewSchedule)(({ body }) => previewSchedule(body, Date.now() as EpochMs));
}
