import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";
import * as api from "#protocol/ui-reads";
import { withEstimates } from "../../durable-objects/flow-run-document.ts";
import { schemaViolations, UnusableSchema } from "../../durable-objects/schema-violations.ts";
import { listFlowRuns } from "../db/queries/flow-runs.ts";
import * as queries from "../db/queries/ui-reads.ts";
import { type App, serve } from "../serve.ts";
import { valueErrors } from "../value-errors.ts";

export function uiReadRoutes(app: App): void {
  serve(
    app,
    api.readFlowRunDots,
  )(async ({ env, body }) => {
    const now = Date.now() as EpochMs;
    const page = {
      sort: body.sort ?? "EXPECTED_START_TIME_DESC",
      limit: body.limit ?? LIMITS.dots,
      offset: body.offset ?? 0,
    } as const;
    const runs = await listFlowRuns(env, body, page);
    return runs.flatMap((listed) => {
      const run = withEstimates(listed, now);
      const timestamp = run.start_time ?? run.expected_start_time;
      if (run.state_type === null || timestamp === null) return [];
      const { id, state_type, estimated_run_time: duration, estimated_start_time_delta: lateness } = run;
      return [{ id, state_type, timestamp, duration, lateness }];
    });
  });
  serve(app, api.countTaskRunsOfFlowRuns)(({ env, body }) => queries.countTaskRunsOf(env, body.flow_run_ids));
  serve(app, api.countDeploymentsOfFlows)(({ env, body }) => queries.countDeploymentsOf(env, body.flow_ids));
  serve(app, api.readNextRunsOfFlows)(({ env, body }) => queries.nextRunsOf(env, body.flow_ids));
  serve(
    app,
    api.validateValues,
  )(({ body }) => {
    try {
      const errors = valueErrors(schemaViolations(body.values, body.schema));
      return { errors, valid: errors.length === 0 };
    } catch (error) {
      if (!(error instanceof UnusableSchema)) throw error;
      throw new SluiceError("validation", `Invalid schema: ${error.message}`, {
        fix: "Mend the schema.",
        cause: error,
      });
    }
  });
}
