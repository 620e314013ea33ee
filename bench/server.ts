/** Starts the embedded server as a user does, over a fresh folder, for measuring. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { residentMb } from "./process-tree.ts";
import { freePort, until } from "./substrate/start.ts";

export interface MeasuredServer extends AsyncDisposable {
  readonly origin: string;
  /** Of the launcher. */
  readonly pid: number;
  /** From exec of the CLI to the first 200 of /api/health. */
  readonly startupMs: number;
  /** Resident memory of the launcher and all its descendants, in MB. */
  memoryMb(): Promise<number>;
}

/** Over a new folder that is removed at the end, or over one that is given and stays; on a free port unless one is given. */
export async function startMeasuredServer(given?: string, givenPort?: number): Promise<MeasuredServer> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), "sluice-bench-")));
  const port = givenPort ?? (await freePort());
  const cli = new URL("../sdk/cli/main.ts", import.meta.url).pathname;
  const begin = performance.now();
  const child = spawn(process.execPath, [cli, "server", "start", "--port", String(port), "--data", folder], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${origin}/api/health`)).status === 200, 30_000, "the server is healthy");
  const startupMs = performance.now() - begin;
  return {
    origin,
    pid: child.pid ?? 0,
    startupMs,
    memoryMb: () => residentMb(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      if (given === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
