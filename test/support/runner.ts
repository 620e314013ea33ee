/** Starts a worker as a person does, `sluice worker start`, and watches what it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { lineReader } from "../../sdk/runner/output-lines.ts";
import { eventually } from "./eventually.ts";
import { CLI, cleanEnvironment } from "./sluice.ts";

export interface WorkerOptions {
  /** Address of the API, ending in `/api`. */
  readonly apiUrl: string;
  /** Name of the work pool. */
  readonly pool: string;
  /** Runs at the same time. Default 10. */
  readonly limit?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Further words of the command line. */
  readonly words?: readonly string[];
}

/** One line of the worker's `--output json`. */
export interface WorkerLine {
  readonly event: "state" | "health" | "run-started" | "output" | "run-ended" | "report-failed";
  readonly kind?: string;
  readonly via?: "socket" | "requests";
  readonly flow_run_id?: string;
  readonly pid?: number;
  readonly line?: string;
  readonly trouble?: string | null;
  readonly warm?: boolean;
  readonly port?: number;
}

export interface StartedWorker extends AsyncDisposable {
  readonly pid: number;
  readonly lines: readonly WorkerLine[];
  /** Everything that it wrote, for the message of a test that failed. */
  text(): string;
  signal(signal: NodeJS.Signals): void;
  /** The number of the process of a run, once it was started. */
  pidOf(flowRunId: string): Promise<number>;
  /** Resolves when the worker is gone. */
  readonly gone: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Answers when the worker is online. Throws with its output when it ends before. */
export async function startWorker({
  apiUrl,
  pool,
  limit = 10,
  env = {},
  words = [],
}: WorkerOptions): Promise<StartedWorker> {
  const worker = spawnWorker({ apiUrl, pool, limit, env, words });
  let isGone = false;
  void worker.gone.then(() => {
    isGone = true;
  });
  await eventually(
    "the worker is online",
    () => {
      if (isGone) throw new Error(worker.text());
      return worker.lines.some(({ event, kind }) => event === "state" && kind === "online");
    },
    { withinMs: 30_000 },
  );
  return worker;
}

/** Starts the program and waits for nothing. */
export function spawnWorker({ apiUrl, pool, limit = 10, env = {}, words = [] }: WorkerOptions): StartedWorker {
  const child = spawn(
    process.execPath,
    [CLI, "worker", "start", "--output", "json", "--pool", pool, "--limit", String(limit), ...words],
    { stdio: ["ignore", "pipe", "pipe"], env: cleanEnvironment({ SLUICE_API_URL: apiUrl, ...env }) },
  );
  const lines: WorkerLine[] = [];
  let text = "";
  collect(child, (line) => {
    text += `${line}\n`;
    if (line.startsWith("{")) lines.push(readLine(line));
  });
  const gone = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    lines,
    text: () => text,
    signal: (signal) => void child.kill(signal),
    pidOf: (flowRunId) =>
      eventually(
        `the process of ${flowRunId} is started`,
        () => lines.find((line) => line.event === "run-started" && line.flow_run_id === flowRunId)?.pid,
      ),
    gone,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        // The first signal drains; the second one ends the runs too.
        child.kill("SIGTERM");
        child.kill("SIGINT");
        const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
        await gone;
        clearTimeout(timer);
      }
    },
  };
}

function collect(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    const reader = lineReader(onLine);
    stream?.on("data", (chunk: Uint8Array) => reader.push(chunk));
    stream?.on("end", () => reader.end());
  }
}

function readLine(line: string): WorkerLine {
  try {
    return JSON.parse(line) as WorkerLine;
  } catch {
    // An error in JSON spans several lines; it is in `text`.
    return { event: "output", line };
  }
}

/** Whether a process is there and is more than an entry that nobody has collected yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch (error) {
    // ENOENT: a system without /proc, where the signal has told.
    return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
  }
}
