/** Starts the embedded server as a user does, over a fresh folder, for measuring. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "./substrate/start.ts";

export interface MeasuredServer extends AsyncDisposable {
  readonly origin: string;
  /** From exec of the CLI to the first 200 of /api/health. */
  readonly startupMs: number;
  /** Resident memory of the launcher and all its descendants, in MB. */
  memoryMb(): Promise<number>;
}

export async function startMeasuredServer(): Promise<MeasuredServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const port = await freePort();
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
    startupMs,
    memoryMb: async () => (await residentKb(child.pid ?? 0)) / 1024,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resident memory of a process and its descendants, from /proc. */
async function residentKb(root: number): Promise<number> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent > 0) parents.set(Number(entry), parent);
  }
  const family = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parents) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grew = true;
      }
    }
  }
  let total = 0;
  for (const pid of family) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    total += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return total;
}
