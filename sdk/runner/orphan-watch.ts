/**
 * A thread of a run's process that notices when the worker is gone, or when the run may be another process's by now, and
 * ends the process.
 *
 * The worker holds the other end of a pipe that is closed by the system when the worker dies, however it dies. This is a
 * thread because user code may keep the main one busy, and it knows nothing but the global `fetch`, so that it costs
 * the start of a run little.
 */
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { FlowRun } from "../protocol/flow-runs.ts";
import type { RunClientFrame } from "../protocol/run-channel.ts";
import type { StateType } from "../protocol/states.ts";

/** Which run the process executes, told by a message. Before it there is nothing to report. */
export interface WatchedRun {
  /** Address of the API, ending in `/api`. */
  readonly url: string;
  readonly key: string | null;
  readonly flowRunId: string;
  readonly generation: number;
}

/** In how many milliseconds the process may not exist any more, unless it is told another time. */
export interface WatchedTerm {
  readonly leftMs: number;
}

export interface OrphanWatchData {
  /** The inherited file descriptor of the pipe. */
  readonly fd: number;
}

/** Reporting may not take longer than this: a process without a worker is not to live on. */
const REPORT_WITHIN_MS = 1_000;
const REASON = "The worker that started this run is gone, so its process was ended too.";

const { fd } = workerData as OrphanWatchData;
let watched: WatchedRun | null = null;
let term: ReturnType<typeof setTimeout>;
parentPort?.on("message", (told: WatchedRun | WatchedTerm) => {
  if (!("leftMs" in told)) {
    watched = told;
    return;
  }
  clearTimeout(term);
  term = setTimeout(killAll, told.leftMs);
});
const pipe = new Socket({ fd, readable: true, writable: false });
pipe.on("error", () => pipe.destroy());
pipe.on("close", () => void end());
pipe.resume();

async function end(): Promise<void> {
  try {
    if (watched !== null) await report(watched, AbortSignal.timeout(REPORT_WITHIN_MS));
  } catch (error) {
    console.error(`${REASON} That could not be reported: ${error instanceof Error ? error.message : String(error)}`);
  }
  killAll();
}

function killAll(): void {
  try {
    // The process leads a group of its own: what it started goes with it.
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // No group (Windows, or the process was started by hand).
    process.kill(process.pid, "SIGKILL");
  }
}

/** A run that has not begun is left as it is: its claim ends by itself, and another worker gets it. */
async function report({ url, key, flowRunId, generation }: WatchedRun, signal: AbortSignal): Promise<void> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
  };
  const answer = await fetch(`${url}/flow_runs/${flowRunId}`, { headers, signal });
  if (!answer.ok) throw new Error(`reading the run was answered ${answer.status}`);
  const { state_type: type } = (await answer.json()) as FlowRun;
  const state = endOf(type);
  if (state === null) return;
  const frames = [
    { type: "hello", protocol: 1, session: crypto.randomUUID(), generation },
    { type: "propose", id: 1, state: { type: state, message: REASON } },
  ] satisfies readonly { readonly type: RunClientFrame["type"]; readonly [field: string]: unknown }[];
  const reported = await fetch(`${url}/flow_runs/${flowRunId}/frames`, {
    method: "POST",
    headers,
    body: JSON.stringify({ frames }),
    signal,
  });
  if (!reported.ok) throw new Error(`the report was answered ${reported.status}`);
}

function endOf(type: StateType | null): "CRASHED" | "CANCELLED" | null {
  if (type === "CANCELLING") return "CANCELLED";
  return type === "RUNNING" ? "CRASHED" : null;
}
