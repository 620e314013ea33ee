/**
 * The program of a run's process, started by a worker: finds the flow, runs it, and ends with one of the codes of
 * `CHILD_EXIT`. It reports by itself; only what it could not report is left to the worker.
 */
import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { executeAssignment } from "./execute-assignment.ts";
import { CHILD_EXIT } from "./exit-reason.ts";
import type { OrphanWatchData, WatchedRun, WatchedTerm } from "./orphan-watch.ts";
import {
  CONTROL_FD,
  fromEnvironment,
  REPORTED,
  type RunAssignment,
  toEnvironment,
  WARM_VARIABLE,
  type WarmAssignment,
} from "./run-assignment.ts";
import { warmUp } from "./warm-up.ts";

const warmFor = process.env[WARM_VARIABLE];
const watch = warmFor ? watchWorker() : null;
// Not waited for: a run that comes meanwhile begins at once.
if (warmFor) void warmUp(warmFor);
const assignment = warmFor ? await waitForAssignment() : fromEnvironment(process.env);
if (typeof assignment === "string") {
  console.error(`${assignment} This program is started by \`sluice worker start\`, not by hand.`);
  process.exit(CHILD_EXIT.notConfigured);
}
const thread = watch ?? watchWorker();
tell(thread, watchedRun(assignment));
const code = await executeAssignment(assignment, (leftMs) => tell(thread, { leftMs }));
if (code === CHILD_EXIT.reported) writeSync(CONTROL_FD, `${REPORTED}\n`);
// The flow may have left timers or connections behind that would keep the process alive.
process.exit(code);

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

function tell(thread: Worker, message: WatchedRun | WatchedTerm): void {
  thread.postMessage(message);
}

function watchedRun({ apiUrl, apiKey, flowRunId, generation }: RunAssignment): WatchedRun {
  return { url: apiUrl, key: apiKey, flowRunId, generation };
}
