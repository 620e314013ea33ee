/** Executes the run that a process was given, and answers the exit code that says what became of it. */
import { ApiUnreachableError, createClient } from "../client/index.ts";
import { executeFlowRun } from "../flow/engine/execute-flow-run.ts";
import { FlowRunRefusedError } from "../flow/errors.ts";
import { isFlow } from "../flow/flow.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { isTerminal } from "../protocol/states.ts";
import { reportEnd } from "./end-report.ts";
import { EntrypointError, loadEntrypoint } from "./entrypoint.ts";
import { CHILD_EXIT } from "./exit-reason.ts";
import type { RunAssignment } from "./run-assignment.ts";

const START_PATIENCE_MS = 30_000;

/**
 * One of `CHILD_EXIT`. Never rejects: what is wrong is written to standard error. `onTerm` is told in how many milliseconds
 * the process may not exist any more, unless it is told again.
 */
export async function executeAssignment(given: RunAssignment, onTerm?: (leftMs: number) => void): Promise<number> {
  try {
    await execute(given, onTerm);
    return CHILD_EXIT.reported;
  } catch (error) {
    if (error instanceof ApiUnreachableError) {
      console.error(error.message);
      return CHILD_EXIT.unreachable;
    }
    if (error instanceof SluiceError || error instanceof FlowRunRefusedError) {
      console.error(error.message);
      return CHILD_EXIT.refused;
    }
    console.error(error);
    return CHILD_EXIT.broken;
  }
}

/** Answers when the end of the run is stored. */
async function execute(
  { apiUrl, apiKey, flowRunId, generation, entrypoint }: RunAssignment,
  onTerm: ((leftMs: number) => void) | undefined,
): Promise<void> {
  const client = createClient({ url: apiUrl, key: apiKey });
  const run = { client, flowRunId: flowRunId as FlowRunId, generation };
  try {
    await executeFlowRun({ ...run, onTerm, flow: loadEntrypoint(entrypoint, process.cwd(), isFlow) });
  } catch (error) {
    if (error instanceof EntrypointError) {
      console.error(error.message);
      await reportEnd({ ...run, type: "FAILED", reason: error.message, patienceMs: START_PATIENCE_MS });
      return;
    }
    // Somebody ended the run before it began: there is nothing left to report.
    if (error instanceof FlowRunRefusedError && isTerminal(error.state?.type)) return;
    throw error;
  }
}
