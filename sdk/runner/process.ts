/** One run's process: started in a group of its own, watched, and killed with everything that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lastErrorIn, type ProcessExit } from "./exit-reason.ts";
import type { JobEnd, RunLine, RunningJob } from "./infrastructure.ts";
import { lineReader } from "./output-lines.ts";
import {
  CONTROL_FD,
  REPORTED,
  type RunAssignment,
  toEnvironment,
  toPrefectEnvironment,
  WARM_VARIABLE,
  type WarmAssignment,
} from "./run-assignment.ts";

export interface RunProcessOptions {
  readonly assignment: RunAssignment;
  /** Working directory; has to exist. */
  readonly cwd: string;
  /** Added to, and overriding, the environment of the worker. */
  readonly env: Readonly<Record<string, string>>;
  /** A program with its words, in place of the one that runs flows of TypeScript. */
  readonly command?: readonly [string, ...string[]];
  /** A process of {@link startWarmProcess} to be used; not with `command`. */
  readonly warm?: ChildProcess | null;
  readonly onLine: RunLine;
}

const CHILD = new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url);
/**
 * Where Node keeps compiled code between runs: a run then starts in half the time. In the user's own folder, because
 * whoever can write there decides what is executed. Where it cannot be written, Node does without.
 */
const COMPILE_CACHE = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", "compiled");
/** Lines of standard error that are kept to find out why a process died. */
const KEPT_LINES = 40;
/** Output is waited for this long after the process ended: something that it started may hold the pipe open. */
const OUTPUT_WITHIN_MS = 500;

export class RunProcess implements RunningJob {
  /** Resolves when the process and its group are gone and their output was read. Rejects if it could not be started. */
  readonly ended: Promise<JobEnd>;
  readonly isWarm: boolean;
  readonly #child: ChildProcess;
  #killTimer: NodeJS.Timeout | null = null;

  constructor({ assignment, cwd, env, command, warm, onLine }: RunProcessOptions) {
    this.isWarm = Boolean(warm);
    if (warm) {
      this.#child = warm;
      const told: WarmAssignment = { cwd, env, assignment };
      // One that died meanwhile is told of by its exit.
      warm.stdin?.on("error", () => undefined);
      warm.stdin?.end(JSON.stringify(told));
    } else if (command) {
      const [program, ...words] = command;
      const own = { ...env, ...toPrefectEnvironment(assignment), ...toEnvironment(assignment) };
      this.#child = start(program, words, { cwd, env: { ...process.env, ...own }, isWarm: false });
    } else {
      const own = { ...process.env, ...env, ...toEnvironment(assignment) };
      this.#child = start(process.execPath, [fileURLToPath(CHILD)], { cwd, env: compiled(own), isWarm: false });
    }
    this.ended = this.#watch(onLine);
  }

  /** Null before it was started and when it could not be. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Asks the process to end, and kills its group when it has not after `graceMs` milliseconds. */
  terminate(graceMs: number): void {
    if (this.#killTimer !== null) return;
    this.#signal("SIGTERM");
    this.#killTimer = setTimeout(() => this.kill(), graceMs);
  }

  /** Kills the process and everything in its group at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  async #watch(onLine: RunProcessOptions["onLine"]): Promise<JobEnd> {
    const child = this.#child;
    const exited = new Promise<ProcessExit>((resolve, reject) => {
      // A process that was started beforehand may have ended before anybody needed it.
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve({ code: child.exitCode, signal: child.signalCode });
      }
      child.once("exit", (code, signal) => resolve({ code, signal }));
      child.once("error", reject);
    });
    const errors: string[] = [];
    const closed = Promise.all([
      read(child.stdout, (line) => onLine(line, "stdout")),
      read(child.stderr, (line) => {
        if (errors.push(line) > KEPT_LINES) errors.shift();
        onLine(line, "stderr");
      }),
    ]);
    let reported = false;
    const control = read(child.stdio[CONTROL_FD], (line) => {
      reported ||= line === REPORTED;
    });
    const exit = await exited;
    // The group outlives its leader as long as somebody is in it.
    this.#signal("SIGKILL");
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, OUTPUT_WITHIN_MS);
    await Promise.race([Promise.all([closed, control]), late.promise]);
    clearTimeout(timer);
    for (const stream of child.stdio) stream?.destroy();
    return { ...exit, reported, lastError: lastErrorIn(errors), reason: null };
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === "win32" ? pid : -pid, signal);
    } catch (error) {
      // ESRCH: nobody is left to be signalled, which is what was wanted.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Starts the process of a run that is not known yet: it loads the engine and waits to be told on its standard input. */
export function startWarmProcess(apiUrl: string): ChildProcess {
  const env = compiled({ ...process.env, [WARM_VARIABLE]: apiUrl });
  return start(process.execPath, [fileURLToPath(CHILD)], { cwd: process.cwd(), env, isWarm: true });
}

function compiled(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env };
}

function start(
  program: string,
  words: readonly string[],
  { cwd, env, isWarm }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly isWarm: boolean },
): ChildProcess {
  return spawn(program, words, {
    cwd,
    env,
    // The child keeps the last pipe open as long as it lives, and sees it closed when this process is gone.
    stdio: [isWarm ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
    detached: true,
    windowsHide: true,
  });
}

function read(stream: ChildProcess["stdio"][number] | undefined, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || !("read" in stream)) return resolve();
    const lines = lineReader(onLine);
    stream.on("data", (chunk: Uint8Array) => lines.push(chunk));
    stream.once("error", () => stream.destroy());
    stream.once("close", () => {
      lines.end();
      resolve();
    });
  });
}
