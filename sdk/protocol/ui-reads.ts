/** What Prefect's own UI reads besides the API of its clients: counts and small rows for its charts. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunFilters, FlowRunSort } from "./filters.ts";
import { JsonObject } from "./flow-runs.ts";
import { FlowId, FlowRunId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { StateType } from "./states.ts";
import { WireTime } from "./time.ts";

const flowIds = z.object({ flow_ids: z.array(FlowId).max(LIMITS.pageRows) });
const counts = z.record(z.string(), z.int());

/** What is wrong with values: a message, or messages of a property or of an item of a list. */
export type SchemaValueError =
  | string
  | { property: string; errors: SchemaValueError[] }
  | { index: number; errors: SchemaValueError[] };
export const SchemaValueError: z.ZodType<SchemaValueError> = z.lazy(() =>
  z.union([
    z.string(),
    z.object({ property: z.string(), errors: z.array(SchemaValueError) }),
    z.object({ index: z.int(), errors: z.array(SchemaValueError) }),
  ]),
);

/** A dot of a scatter plot. Spans are in seconds. */
export const FlowRunDot = z.object({
  id: FlowRunId,
  state_type: StateType,
  timestamp: WireTime,
  duration: z.number(),
  lateness: z.number(),
});
export type FlowRunDot = z.infer<typeof FlowRunDot>;

/** The scheduled run of a flow that is due first. */
export const NextFlowRun = z.object({
  id: FlowRunId,
  flow_id: FlowId,
  name: z.string(),
  state_name: z.string(),
  state_type: StateType,
  next_scheduled_start_time: WireTime,
});
export type NextFlowRun = z.infer<typeof NextFlowRun>;

/** At most 1,000, those expected last first unless `sort` says otherwise. Runs without a state are left out. */
export const readFlowRunDots = endpoint({
  id: "ui_flow_run_history",
  method: "POST",
  path: "/ui/flow_runs/history",
  tag: "UI",
  role: "viewer",
  summary: "List flow runs as dots of a scatter plot.",
  body: FlowRunFilters.extend({
    sort: FlowRunSort.nullish(),
    limit: z.int().min(0).max(LIMITS.dots).nullish(),
    offset: z.int().min(0).nullish(),
  }),
  returns: z.array(FlowRunDot),
});
/** At most 200 ids; answers a count for each, 0 for one that is unknown. */
export const countTaskRunsOfFlowRuns = endpoint({
  id: "ui_count_task_runs_by_flow_run",
  method: "POST",
  path: "/ui/flow_runs/count-task-runs",
  tag: "UI",
  role: "viewer",
  summary: "Count the task runs of flow runs, without those that stand for subflows.",
  body: z.object({ flow_run_ids: z.array(FlowRunId).max(LIMITS.pageRows) }),
  returns: counts,
});
/** At most 200 ids; answers a count for each, 0 for one that is unknown. */
export const countDeploymentsOfFlows = endpoint({
  id: "ui_count_deployments_by_flow",
  method: "POST",
  path: "/ui/flows/count-deployments",
  tag: "UI",
  role: "viewer",
  summary: "Count the deployments of flows.",
  body: flowIds,
  returns: counts,
});
/** At most 200 ids; null for a flow of which nothing is scheduled. */
export const readNextRunsOfFlows = endpoint({
  id: "ui_next_runs_by_flow",
  method: "POST",
  path: "/ui/flows/next-runs",
  tag: "UI",
  role: "viewer",
  summary: "Read the next scheduled run of each flow.",
  body: flowIds,
  returns: z.record(z.string(), NextFlowRun.nullable()),
});
/** Values that do not fit are the answer and no error; 422 for a schema that cannot be used. */
export const validateValues = endpoint({
  id: "ui_validate_obj",
  method: "POST",
  path: "/ui/schemas/validate",
  tag: "UI",
  role: "viewer",
  summary: "Hold values against a JSON schema, for a form.",
  body: z.object({ schema: JsonObject, values: JsonObject }),
  returns: z.object({ errors: z.array(SchemaValueError), valid: z.boolean() }),
});
