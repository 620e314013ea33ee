/**
 * The program of a run's process, started by a worker: finds the flow, runs it, and ends with one of the codes of
 * `CHILD_EXIT`. It reports by itself; only what it could not report is left to the worker.
 */
import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { ApiUnreachableError, createClient } from "../client/index.ts";
import { executeFlowRun } from "../flow/engine/execute-flow-run.ts";
import { FlowRunRefusedError } from "../flow/errors.ts";
import { type AnyFlow, isFlow } from "../flow/flow.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { isTerminal } from "../protocol/states.ts";
import { reportEnd } from "./end-report.ts";
import { EntrypointError, loadEntrypoint } from "./entrypoint.ts";
import { CHILD_EXIT } from "./exit-reason.ts";
import type { OrphanWatchData, WatchedRun } from "./orphan-watch.ts";
import {
  CONTROL_FD,
  fromEnvironment,
  REPORTED,
  type RunAssignment,
  toEnvironment,
  WARM_VARIABLE,
  type WarmAssignment,
} from "./run-assignment.ts";

const START_PATIENCE_MS = 30_000;

const watch = process.env[WARM_VARIABLE] ? watchWorker() : null;
const assignment = process.env[WARM_VARIABLE] ? await waitForAssignment() : fromEnvironment(process.env);
if (typeof assignment === "string") {
  console.error(`${assignment} This program is started by \`sluice worker start\`, not by hand.`);
  process.exit(CHILD_EXIT.notConfigured);
}
tellOf(assignment, watch ?? watchWorker());
// The flow may have left timers or connections behind that would keep the process alive.
process.exit(await main(assignment));

async function main(given: RunAssignment): Promise<number> {
  try {
    await execute(given);
    writeSync(CONTROL_FD, `${REPORTED}\n`);
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
async function execute({ apiUrl, apiKey, flowRunId, generation, entrypoint }: RunAssignment): Promise<void> {
  const client = createClient({ url: apiUrl, key: apiKey });
  const run = { client, flowRunId: flowRunId as FlowRunId, generation };
  let flow: AnyFlow;
  try {
    flow = await loadEntrypoint(entrypoint, process.cwd(), isFlow);
  } catch (error) {
    if (!(error instanceof EntrypointError)) throw error;
    console.error(error.message);
    await reportEnd({ ...run, type: "FAILED", reason: error.message, patienceMs: START_PATIENCE_MS });
    return;
  }
  try {
    await executeFlowRun({ ...run, flow });
  } catch (error) {
    // Somebody ended the run before it began: there is nothing left to report.
    if (error instanceof FlowRunRefusedError && isTerminal(error.state?.type)) return;
    throw error;
  }
}

/** Started before it is known for which run. Ends when the worker goes away without having needed it. */
async function waitForAssignment(): Promise<RunAssignment> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  if (chunks.length === 0) process.exit(CHILD_EXIT.reported);
  const told = JSON.parse(Buffer.concat(chunks).toString()) as WarmAssignment;
  delete process.env[WARM_VARIABLE];
  for (const [name, value] of Object.entries({ ...told.env, ...toEnvironment(told.assignment) })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  process.chdir(told.cwd);
  return told.assignment;
}

/** A thread of its own, since the flow may keep this one busy when the worker dies. */
function watchWorker(): Worker {
  const module = new URL(import.meta.url.endsWith(".ts") ? "./orphan-watch.ts" : "./orphan-watch.js", import.meta.url);
  const workerData: OrphanWatchData = { fd: CONTROL_FD };
  // Options of the main thread, such as an inspector's, are not for this one.
  const thread = new Worker(module, { workerData, execArgv: [] });
  thread.on("error", (error) => console.error("The watch over the worker has failed:", error));
  thread.unref();
  return thread;
}

function tellOf({ apiUrl, apiKey, flowRunId, generation }: RunAssignment, thread: Worker): void {
  const run: WatchedRun = { url: apiUrl, key: apiKey, flowRunId, generation };
  thread.postMessage(run);
}
