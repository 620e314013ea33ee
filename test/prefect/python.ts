/** Runs a Python script of this folder in Prefect's environment. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prefectEnvironment } from "./servers.ts";
import { prefectPython } from "./venv.ts";

/**
 * Runs `script` with `input` as JSON on its standard input, and answers the JSON that it prints. Throws with what it
 * wrote to standard error when it fails.
 */
export async function runPython(script: string, input: unknown = null): Promise<unknown> {
  const python = await prefectPython();
  const home = mkdtempSync(join(tmpdir(), "sluice-python-"));
  try {
    const child = spawn(python, [fileURLToPath(new URL(script, import.meta.url))], {
      env: prefectEnvironment(home),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.end(JSON.stringify(input));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new Error(`${script} ended with ${code}. It wrote: ${Buffer.concat(err).toString()}`);
    return JSON.parse(Buffer.concat(out).toString());
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
