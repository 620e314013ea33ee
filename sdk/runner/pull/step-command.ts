/** Runs a program for a pull step: in a group of its own, line by line, and killed when the run is. */
import { spawn } from "node:child_process";
import { lineReader } from "../output-lines.ts";

export interface StepCommand {
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/** What the program wrote. */
export interface StepOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Lines that are kept as the output of the step. */
const KEPT_LINES = 10_000;
/** Lines of the end of its standard error that stand in the error of a program that failed. */
const TOLD_LINES = 5;

/** Throws when the program cannot be started, ends with another code than 0, or the signal aborts. */
export function runStepCommand({ program, words, cwd, env, signal, onLine }: StepCommand): Promise<StepOutput> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error("The run was ended while its code was fetched."));
    const child = spawn(program, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const kept = { stdout: [] as string[], stderr: [] as string[] };
    for (const stream of ["stdout", "stderr"] as const) {
      const reader = lineReader((line) => {
        if (kept[stream].push(line) > KEPT_LINES) kept[stream].shift();
        onLine(line, stream);
      });
      child[stream].on("data", (chunk: Uint8Array) => reader.push(chunk));
      child[stream].on("end", () => reader.end());
    }
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        child.kill("SIGKILL");
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", (error) => {
      signal.removeEventListener("abort", kill);
      reject(new Error(`${program} could not be started: ${error.message}`));
    });
    child.once("close", (code, killed) => {
      signal.removeEventListener("abort", kill);
      if (signal.aborted) return reject(new Error("The run was ended while its code was fetched."));
      if (code === 0) return resolve({ stdout: kept.stdout.join("\n"), stderr: kept.stderr.join("\n") });
      const how = killed ? `was ended by ${killed}` : `ended with code ${code}`;
      const said = kept.stderr.slice(-TOLD_LINES).join(" | ");
      reject(new Error(`${program} ${how}${said === "" ? "." : `: ${said}`}`));
    });
  });
}
