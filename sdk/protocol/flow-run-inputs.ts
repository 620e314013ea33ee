/** Inputs of flow runs: keyed texts that are sent to a run, for example the answer to a pause. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** A stored input. `sender` says who sent it, and is null where nobody said. */
export const FlowRunInput = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  flow_run_id: FlowRunId,
  key: z.string(),
  /** JSON, as its sender wrote it; the control plane does not look into it. */
  value: z.string(),
  sender: z.string().nullable(),
});
export type FlowRunInput = z.infer<typeof FlowRunInput>;

/** An input that is to be stored: a key that the run does not have yet, and a value of at most 524,288 characters. */
export const FlowRunInputCreate = z.object({
  key: z.string().min(1).max(LIMITS.nameChars),
  value: z.string().max(LIMITS.parameterBytes),
  sender: z.string().nullish(),
});
export type FlowRunInputCreate = z.infer<typeof FlowRunInputCreate>;

/** Which inputs, oldest first: those whose key begins with `prefix`, at most `limit` (1 unless given). */
export const FlowRunInputQuery = z.object({
  prefix: z.string(),
  limit: z.int().min(0).max(LIMITS.pageRows).nullish(),
  exclude_keys: z.array(z.string()).nullish(),
});
export type FlowRunInputQuery = z.infer<typeof FlowRunInputQuery>;

const byRun = z.object({ id: FlowRunId });
const byKey = z.object({ id: FlowRunId, key: z.string() });

/** Never replaces: 409 when the run has an input with this key, 404 for an unknown run. */
export const createFlowRunInput = endpoint({
  id: "create_flow_run_input",
  method: "POST",
  path: "/flow_runs/:id/input",
  tag: "Flow Runs",
  status: 201,
  role: "worker",
  summary: "Store an input for a flow run.",
  params: byRun,
  body: FlowRunInputCreate,
});
/** Needs the role worker, as every read of inputs does. A run that nobody knows has none. */
export const filterFlowRunInput = endpoint({
  id: "filter_flow_run_input",
  method: "POST",
  path: "/flow_runs/:id/input/filter",
  tag: "Flow Runs",
  role: "worker",
  summary: "List inputs of a flow run by the beginning of their keys.",
  params: byRun,
  body: FlowRunInputQuery,
  returns: z.array(FlowRunInput),
});
/** Answers text/plain, the value as its sender wrote it. 404 for an unknown run or key. */
export const readFlowRunInput = endpoint({
  id: "read_flow_run_input",
  method: "GET",
  path: "/flow_runs/:id/input/:key",
  tag: "Flow Runs",
  role: "worker",
  summary: "Read the value of an input, as plain text.",
  params: byKey,
  returns: z.string(),
});
/** Frees the key for another input. 404 for an unknown run or key. */
export const deleteFlowRunInput = endpoint({
  id: "delete_flow_run_input",
  method: "DELETE",
  path: "/flow_runs/:id/input/:key",
  tag: "Flow Runs",
  status: 204,
  role: "worker",
  summary: "Delete an input of a flow run.",
  params: byKey,
});
