/** A paused run goes on: the input for it is held against the schema that the run asked for it with. */
import type { JsonObject } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { type OrchestrationResult, type State, StateCreate } from "#protocol/states";
import type { ReportRecorder } from "./report-recorder.ts";
import type { RunRecorder } from "./run-recorder.ts";
import { schemaViolations, UnusableSchema, violationText } from "./schema-violations.ts";
import type { RunStore } from "./storage/run-store.ts";

/** Under which keys a pause keeps the schema of its input, and expects the input. */
interface InputKeys {
  readonly schema: string;
  readonly response: string;
}

/** The keys of a pause that waits for input; null for one that only waits. */
function inputKeys(state: State): InputKeys | null {
  const { schema, response } = state.state_details.run_input_keyset ?? {};
  return schema !== undefined && response !== undefined ? { schema, response } : null;
}

/** Why the input is refused; null when it fits. `schemaText` is what the run stored, null when it stored nothing. */
function refusalOf(input: JsonObject, schemaText: string | null): string | null {
  if (schemaText === null) return "Run input schema not found.";
  try {
    const schema: unknown = JSON.parse(schemaText);
    if (typeof schema !== "object" || schema === null) return "Run input schema is not valid JSON.";
    const [first] = schemaViolations(input, schema);
    return first ? `Reason: ${violationText(first)}` : null;
  } catch (error) {
    return error instanceof UnusableSchema ? `Invalid schema: ${error.message}` : "Run input schema is not valid JSON.";
  }
}

/** What resuming acts upon: the parts of the run's owner. */
interface ResumeParts {
  readonly store: RunStore;
  readonly recorder: RunRecorder;
  readonly reports: ReportRecorder;
}

/**
 * Lets a paused run go on: in its process (RUNNING), or, when it was suspended, in a new one (SCHEDULED). The input is
 * stored together with the state. Synchronous, inside one transaction (I3). Null when there is no such run.
 */
export function resume(parts: ResumeParts, id: FlowRunId, input: JsonObject | null): OrchestrationResult | null {
  const row = parts.store.run(id);
  if (!row) return null;
  const { state } = row.record;
  if (state?.type !== "PAUSED") {
    const reason = "Cannot resume a flow run that is not paused.";
    return { state: null, status: "ABORT", details: { type: "abort_details", reason } };
  }
  const keys = inputKeys(state);
  if (keys) {
    const reason = refusalOf(input ?? {}, parts.store.input(id, keys.schema)?.value ?? null);
    if (reason !== null) return { state, status: "REJECT", details: { type: "reject_details", reason } };
  }
  const { pause_reschedule: suspended } = state.state_details;
  const next = StateCreate.parse(suspended ? { type: "SCHEDULED", name: "Resuming" } : { type: "RUNNING" });
  const outcome = parts.recorder.propose(id, { state: next, force: false });
  if (outcome?.result.status === "ACCEPT" && keys && input !== null) {
    parts.reports.putInput(id, { key: keys.response, value: JSON.stringify(input), sender: null });
  }
  return outcome?.result ?? null;
}
