/** Types a command as a person does, and waits until it has ended. */
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const CLI = fileURLToPath(new URL("../../sdk/cli/main.ts", import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SluiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its words that runs the command, e.g. `prlimit --nofile=1024`. */
  readonly through?: readonly string[];
  /** Default 30,000; then it is killed. */
  readonly withinMs?: number;
}

export function sluice(words: readonly string[], options: SluiceOptions = {}): Promise<Ended> {
  const { env = {}, through = [], withinMs = 30_000 } = options;
  const [program = "", ...rest] = [...through, process.execPath, CLI, ...words];
  const child = spawn(program, rest, {
    env: cleanEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: withinMs,
  });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    written.stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    written.stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, ...written }));
  });
}

/**
 * The environment without what a developer has set for Sluice, so that tests see the defaults; but for results, which do
 * not belong into the developer's home.
 */
export function cleanEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("SLUICE_"));
  return { ...Object.fromEntries(own), SLUICE_RESULTS: join(tmpdir(), "sluice-test-results"), ...env };
}
