/** The two servers that are compared: ours, embedded, and Prefect's own. Each has a folder and a port of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "../support/eventually.ts";
import { startTestServer } from "../support/server.ts";
import { cleanEnvironment } from "../support/sluice.ts";
import { CACHE, prefectPython } from "./venv.ts";

const run = promisify(execFile);
/** How long Prefect's server may take to start on a busy machine. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ComparedServer extends AsyncDisposable {
  /** Ends in `/api`; what `PREFECT_API_URL` is set to. */
  readonly apiUrl: string;
  /** Of the process that was started; what works may be among its descendants. */
  readonly pid: number;
  /** What it wrote to standard error, for the message of a test that failed. */
  stderr(): string;
}

/** Starts our embedded server from `dist/`, which must have been built. */
export async function startSluice(env: Readonly<Record<string, string>> = {}): Promise<ComparedServer> {
  const server = await startTestServer({ env });
  return {
    apiUrl: server.apiUrl,
    pid: server.pid,
    stderr: () => server.stderr,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export interface PrefectServerOptions {
  /** Whether its background services run (scheduler, late runs, task-run recorder …). Default true. */
  readonly services?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `prefect server start` on SQLite, without analytics and without a way to the network. */
export async function startPrefect({ services = true, env = {} }: PrefectServerOptions = {}): Promise<ComparedServer> {
  const python = await prefectPython();
  const folder = mkdtempSync(join(tmpdir(), "sluice-prefect-"));
  const database = join(folder, "prefect.db");
  copyFileSync(await emptyDatabase(python), database);
  const port = await freePort();
  const words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", String(port), "--no-ui"];
  const child = spawn(python, services ? words : [...words, "--no-services"], {
    env: prefectEnvironment(folder, { PREFECT_SERVER_DATABASE_CONNECTION_URL: databaseUrl(database), ...env }),
    stdio: ["ignore", "ignore", "pipe"],
    // A process group of its own: a signal to the test runner's group does not reach it.
    detached: true,
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const apiUrl = `http://127.0.0.1:${port}/api`;
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await eventually(
      "Prefect's server is healthy",
      async () => child.exitCode !== null || (await fetch(`${apiUrl}/health`)).ok,
      { withinMs: START_TIMEOUT_MS, everyMs: 100 },
    );
    if (child.exitCode !== null) throw new Error("Prefect's server ended before it was ready.");
  } catch (error) {
    await stop();
    throw new Error(`Prefect's server did not start. It wrote: ${stderr}`, { cause: error });
  }
  return { apiUrl, pid: child.pid ?? 0, stderr: () => stderr, [Symbol.asyncDispose]: stop };
}

/**
 * The environment of a Prefect process, client or server: nothing of this machine's own settings, everything kept in
 * `home`, no analytics, and a proxy that refuses everything but this machine.
 */
export function prefectEnvironment(
  home: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<NodeJS.ProcessEnv> {
  const own = Object.entries(cleanEnvironment({})).filter(([name]) => !/^(PREFECT_|PYTHON|PIP_)/.test(name));
  return {
    ...Object.fromEntries(own),
    PREFECT_HOME: join(home, "prefect-home"),
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    PREFECT_SERVER_UI_ENABLED: "false",
    DO_NOT_TRACK: "1",
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    http_proxy: "http://127.0.0.1:9",
    https_proxy: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",
    ...more,
  };
}

/** Migrating an empty database takes seconds, so one that is migrated is kept for every environment. */
async function emptyDatabase(python: string): Promise<string> {
  const { stdout } = await run(python, ["-c", "import importlib.metadata as m; print(m.version('prefect'))"]);
  const kept = join(CACHE, `empty-${stdout.trim()}.db`);
  if (existsSync(kept)) return kept;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "migrating-"));
  try {
    const database = join(folder, "prefect.db");
    const env = prefectEnvironment(folder, { PREFECT_SERVER_DATABASE_CONNECTION_URL: databaseUrl(database) });
    await run(python, ["-m", "prefect", "server", "database", "upgrade", "-y"], { env });
    renameSync(database, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return kept;
}

function databaseUrl(file: string): string {
  return `sqlite+aiosqlite:///${file}`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(impatience);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
