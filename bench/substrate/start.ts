/** Starts the bare substrate on a free port over a temporary folder. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

export interface Substrate extends AsyncDisposable {
  readonly origin: string;
}

export async function startSubstrate(): Promise<Substrate> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bare-"));
  await build({
    entryPoints: [new URL("worker.ts", import.meta.url).pathname],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
  });
  await writeFile(
    join(folder, "wrangler.jsonc"),
    JSON.stringify({
      name: "bare",
      main: "worker.js",
      no_bundle: true,
      compatibility_date: "2026-11-10",
      d1_databases: [{ binding: "DB", database_name: "bare", database_id: "bare" }],
      durable_objects: { bindings: [{ name: "OBJECT", class_name: "BareObject" }] },
      exports: { BareObject: { type: "durable-object", storage: "sqlite" } },
    }),
  );
  const port = await freePort();
  const workerd = createRequire(import.meta.url).resolve("workerd/bin/workerd");
  const child = spawn(workerd, ["serve", "wrangler.jsonc", "--experimental", "-s", `http=127.0.0.1:${port}`], {
    cwd: folder,
    stdio: "ignore",
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(origin)).ok, 10_000, "the bare substrate answers");
  return {
    origin,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Waits for a condition, looking every 5 ms; an error counts as "not yet". */
export async function until(condition: () => Promise<boolean>, deadlineMs: number, what: string): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Waited ${deadlineMs} ms in vain: ${what}.`);
}
