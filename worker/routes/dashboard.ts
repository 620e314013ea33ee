import { readDashboard } from "#protocol/dashboard";
import { SluiceError } from "#protocol/errors";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { dashboardParts } from "../db/queries/dashboard.ts";
import { averageLatenessSeconds } from "../db/queries/flow-runs.ts";
import { FLOW_RUN_TABLE, runHistory } from "../db/queries/run-history.ts";
import { type App, serve } from "../serve.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const BARS = 48;

export function dashboardRoutes(app: App): void {
  serve(
    app,
    readDashboard,
  )(async ({ env, body }) => {
    const untilMs = body.until ? fromWireTime(body.until) : Date.now();
    const sinceMs = body.since ? fromWireTime(body.since) : untilMs - DAY_MS;
    if (sinceMs >= untilMs) {
      throw new SluiceError("validation", "Field since is not before until.", { fix: "Send a time before until." });
    }
    const [since, until] = [toWireTime(sinceMs as EpochMs), toWireTime(untilMs as EpochMs)];
    const tags = body.tags ?? [];
    // Every row has all of no tags: asked for, that would read each of them.
    const tagged = tags.length === 0 ? {} : { tags: { all_: tags } };
    const ofSpan = {
      flow_runs: { ...tagged, expected_start_time: { after_: since, before_: until } },
    };
    const [parts, history, lateness] = await Promise.all([
      dashboardParts(env, { sinceMs, untilMs, tags }),
      runHistory(env, FLOW_RUN_TABLE, {
        history_start: since,
        history_end: until,
        history_interval_seconds: Math.max(1, (untilMs - sinceMs) / 1_000 / (body.bars ?? BARS)),
        flow_runs: tagged,
      }),
      averageLatenessSeconds(env, ofSpan, Date.now()),
    ]);
    const { byState, ...rest } = parts;
    const count = (...types: string[]) => types.reduce((total, type) => total + (byState[type] ?? 0), 0);
    const ended = count("COMPLETED", "FAILED", "CRASHED", "CANCELLED");
    return {
      since,
      until,
      history,
      totals: {
        runs: Object.values(byState).reduce((total, runs) => total + runs, 0),
        by_state: byState,
        success_rate: ended === 0 ? null : count("COMPLETED") / ended,
        average_lateness_seconds: lateness,
      },
      ...rest,
    };
  });
}
