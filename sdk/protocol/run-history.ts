/** How runs were spread over time and states: one bucket an interval, by the time at which each was to start. */
import { z } from "zod";
import { FlowRunFilters } from "./filters.ts";
import { StateType } from "./states.ts";
import { LenientTime, WireTime } from "./time.ts";

/** What is asked: a span of time in intervals (seconds, at least 1; the first 500 are answered), and filters. */
export const RunHistoryQuery = FlowRunFilters.extend({
  history_start: LenientTime,
  history_end: LenientTime,
  history_interval_seconds: z.number().min(1, { error: "History interval must not be less than 1 second." }),
});
export type RunHistoryQuery = z.infer<typeof RunHistoryQuery>;

/** One interval with its runs by state. Sums are in seconds. */
export const RunHistoryInterval = z.object({
  interval_start: WireTime,
  interval_end: WireTime,
  states: z.array(
    z.object({
      state_type: StateType,
      state_name: z.string(),
      count_runs: z.int(),
      sum_estimated_run_time: z.number(),
      sum_estimated_lateness: z.number(),
    }),
  ),
});
export type RunHistoryInterval = z.infer<typeof RunHistoryInterval>;
