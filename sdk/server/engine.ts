/**
 * The engine under the embedded server: `workerd serve` with a configuration made from wrangler.toml. Everything that
 * knows workerd stands here; the rest of the server knows `Engine` and `RunningEngine`.
 *
 * Facts about workerd 1.20261117 that this rests on: it refuses TOML and every key it does not know; bindings of text
 * come from `vars` alone, so secrets stand in the generated file; `<name>-…-storage` are its disk services; it reports
 * its port on `--control-fd`; SIGTERM ends it within milliseconds; it raises its own soft limit of open files.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parse as parseToml } from "smol-toml";
import type { DataPaths } from "./data-folder.ts";
import { ServerError } from "./errors.ts";
import type { Program } from "./program.ts";

export interface EngineOptions {
  readonly program: Program;
  readonly paths: DataPaths;
  /** Override those of wrangler.toml. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whatever the engine and the Worker print, line by line. */
  readonly onLine: (line: EngineLine) => void;
}

export interface EngineLine {
  readonly text: string;
  /** Whether a person who looks after the server should see it. */
  readonly isError: boolean;
}

export interface Address {
  /** A number, or null for any free one. */
  readonly port: number | null;
  /** An IP address. */
  readonly ip: string;
}

export interface Engine {
  /** Answers when connections are accepted. Throws `engine_does_not_run` or `port_in_use`. */
  start(address: Address): Promise<RunningEngine>;
}

export interface RunningEngine {
  readonly pid: number;
  readonly port: number;
  /** Settles when the process has ended, for whatever reason; says why. */
  readonly exited: Promise<string>;
  /** Lets requests under way finish, for at most `STOP_TIMEOUT_MS`. Answers when the process has ended and all its lines were heard. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

const STOP_TIMEOUT_MS = 5_000;
const LISTEN_TIMEOUT_MS = 20_000;

/** The keys that this workerd accepts at the top of its configuration, less those that are made here. */
const ACCEPTED_KEYS = [
  "name",
  "compatibility_date",
  "compatibility_flags",
  "durable_objects",
  "exports",
  "migrations",
  "kv_namespaces",
  "triggers",
  "queues",
  "workflows",
];

/**
 * Copies the bundle into the data folder and writes the configuration next to it, so that a crashed engine comes back
 * with the bundle it was started with, even if a build took place meanwhile.
 */
export function prepareWorkerd(options: EngineOptions): Engine {
  const { program, paths } = options;
  const ui = join(paths.engine, "ui");
  rmSync(ui, { recursive: true, force: true });
  if (existsSync(program.uiFolder)) cpSync(program.uiFolder, ui, { recursive: true });
  else mkdirSync(ui);
  cpSync(program.workerFile, join(paths.engine, "worker.js"));

  const { name, configuration } = configure(readFileSync(program.wranglerFile, "utf8"), options.variables);
  const file = join(paths.engine, "wrangler.jsonc");
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, JSON.stringify(configuration, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);

  const storage = { do: paths.objects, d1: paths.d1, queues: paths.queues, cron: paths.cron };
  const folders = Object.entries(storage).flatMap(([kind, path]) => ["-d", `${name}-${kind}-storage=${path}`]);
  return { start: (address) => startWorkerd(file, folders, address, options) };
}

/** What workerd is given of a wrangler.toml. */
export function configure(
  toml: string,
  variables: Readonly<Record<string, string>>,
): { name: string; configuration: Record<string, unknown> } {
  const given = parseToml(toml);
  const kept = Object.fromEntries(ACCEPTED_KEYS.filter((key) => key in given).map((key) => [key, given[key]]));
  const databases = (given["d1_databases"] ?? []) as Record<string, unknown>[];
  const assets = given["assets"] as Record<string, unknown> | undefined;
  return {
    name: String(given["name"]),
    configuration: {
      ...kept,
      main: "worker.js",
      no_bundle: true,
      vars: { ...(given["vars"] as Record<string, unknown> | undefined), ...variables },
      d1_databases: databases.map(({ migrations_dir: _dir, migrations_table: _table, ...database }) => database),
      ...(assets === undefined ? {} : { assets: { ...assets, directory: "./ui" } }),
    },
  };
}

async function startWorkerd(
  file: string,
  folders: readonly string[],
  { ip, port }: Address,
  options: EngineOptions,
): Promise<RunningEngine> {
  const socket = `http=${ip.includes(":") ? `[${ip}]` : ip}:${port ?? 0}`;
  const line = ["serve", file, "--experimental", "-s", socket, "--control-fd=3", ...folders];
  const program = workerdPath();
  const guard = dieWithParent();
  try {
    return await launch([...guard, program, ...line], options);
  } catch (error) {
    // A setpriv that does not know --pdeathsig (busybox), or could not run workerd: without it, the reason is plain.
    if (guard.length > 0 && error instanceof EarlyExit && /^(.*\/)?setpriv:/.test(error.said)) {
      return launch([program, ...line], options).catch((second: unknown) => {
        throw explain(second, program, port);
      });
    }
    throw explain(error, program, port);
  }
}

/** The engine ended, or could not be started, before it listened. */
class EarlyExit extends Error {
  readonly said: string;

  constructor(reason: string, said: string, cause?: unknown) {
    super(reason, { cause });
    this.said = said;
  }
}

async function launch([program = "", ...line]: readonly string[], options: EngineOptions): Promise<RunningEngine> {
  const child = spawn(program, line, {
    cwd: options.paths.engine,
    // Nothing of the caller's environment concerns it, and keys in there are nobody's business.
    env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"], HOME: process.env["HOME"] },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // In a session of its own, so that Ctrl-C reaches the launcher alone, which ends it in order.
    detached: true,
  });
  const said: string[] = [];
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const drained = Promise.all([
    forward(child.stdout, (text) => options.onLine({ text, isError: false })),
    forward(child.stderr, (text) => {
      if (said.length < 20) said.push(text);
      options.onLine({ text, isError: !/: (info|warning): /.test(text) });
    }),
  ]);

  const timeout = setTimeout(() => child.kill("SIGKILL"), LISTEN_TIMEOUT_MS);
  const port = await Promise.race([listeningPort(child), exited.then(() => null)]);
  clearTimeout(timeout);
  if (port === null || child.pid === undefined) {
    const reason = await exited;
    if (child.pid !== undefined) await drained;
    throw new EarlyExit(reason, said.join("\n"));
  }
  return {
    pid: child.pid,
    port,
    exited,
    async stop() {
      child.kill("SIGTERM");
      const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(impatience);
      await drained;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Settles when the stream ends. */
function forward(stream: Readable | null, onLine: (text: string) => void): Promise<void> {
  if (stream === null) return Promise.resolve();
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", onLine);
  return new Promise((resolve) => lines.once("close", resolve));
}

/** Waits for `{"event":"listen","socket":"http","port":1234}` on descriptor 3. */
function listeningPort(child: ChildProcess): Promise<number> {
  const control = child.stdio[3] as Readable | null | undefined;
  return new Promise((resolve) => {
    void forward(control ?? null, (text) => {
      const message: { event?: string; socket?: string; port?: number } = JSON.parse(text);
      if (message.event === "listen" && message.socket === "http" && message.port !== undefined) resolve(message.port);
    });
  });
}

/**
 * The program itself, not the script of that name: a script in between would not hand on signals.
 * SLUICE_WORKERD is for systems on which npm's binaries do not run (NixOS).
 */
function workerdPath(): string {
  const given = process.env["SLUICE_WORKERD"];
  if (given) return given;
  try {
    const found: unknown = createRequire(import.meta.url)("workerd").default;
    return String(found);
  } catch (cause) {
    throw new ServerError("engine_does_not_run", `There is no workerd for ${process.platform} ${process.arch}.`, {
      fix: "Run `npm install` on this machine, with optional dependencies; workerd exists for Linux (glibc), macOS and Windows.",
      cause,
    });
  }
}

/** On Linux, the words that make the kernel end the engine when this process ends, even by SIGKILL. Costs 2 ms. */
function dieWithParent(): string[] {
  if (process.platform !== "linux") return [];
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "SIGKILL", "--"];
}

function explain(error: unknown, program: string, port: number | null): unknown {
  if (!(error instanceof EarlyExit)) return error;
  if (/address already in use/i.test(error.said)) return portInUse(port ?? 0, error);
  const trial = spawnSync(program, ["--version"], { encoding: "utf8" });
  if (trial.status === 0) {
    return new ServerError("engine_crashed", `The engine ended before it listened (${error.message}): ${error.said}`, {
      fix: "This is a fault of Sluice. Please report it with the line above and the output of `sluice version`.",
      cause: error,
    });
  }
  const reason = trial.error?.message ?? (trial.stderr.trim() || `exit code ${trial.status}`);
  return new ServerError("engine_does_not_run", `The program ${program} does not run on this machine: ${reason}`, {
    fix: "It needs Linux with glibc 2.35 (not Alpine), macOS 13.5 or Windows, on x64 or arm64. Run `npm install` here if node_modules came from another machine.",
    cause: error,
  });
}

/** The error for a port that somebody else listens on. */
export function portInUse(port: number, cause: unknown): ServerError {
  return new ServerError("port_in_use", `Port ${port} is in use by another program.`, {
    fix: `Stop that program, or choose another port: --port ${port + 100} (0 takes any free one)`,
    cause,
  });
}
