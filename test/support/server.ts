/** A real server as a person starts it, on a port and in a folder of its own, gone when the test is over. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isAlive, killAndWait, type ProcessIdentity } from "../../sdk/server/process-identity.ts";
import { CLI, cleanEnvironment } from "./sluice.ts";

export interface TestServerOptions {
  /** By default, a new folder that is removed at the end. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** By default, any free one. */
  readonly port?: number;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a start may take on a busy machine. */
const START_TIMEOUT_MS = 30_000;

/** Answers when the server said that it is ready. Throws with what it wrote if it ended instead. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "sluice-test-"));
  const server = new TestServer(dataDir, options);
  try {
    await server.start(options.port ?? 0);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

export class TestServer implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: TestServerOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<ServerExit> = Promise.resolve({ code: null, signal: null });
  #origin = "";
  #stderr = "";

  constructor(dataDir: string, options: TestServerOptions) {
    this.dataDir = dataDir;
    this.#options = options;
  }

  /** E.g. "http://127.0.0.1:40123". */
  get origin(): string {
    return this.#origin;
  }
  get apiUrl(): string {
    return `${this.#origin}/api`;
  }
  get port(): number {
    return Number(new URL(this.#origin).port);
  }
  /** Of the launcher. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }
  /** The process under the launcher that does the work. */
  get engine(): ProcessIdentity {
    return JSON.parse(readFileSync(join(this.dataDir, "engine.json"), "utf8"));
  }
  /** What was written to standard error since the first start. */
  get stderr(): string {
    return this.#stderr;
  }
  /** Settles when the launcher has ended. */
  get exited(): Promise<ServerExit> {
    return this.#exited;
  }

  async start(port: number): Promise<void> {
    const words = [CLI, "server", "start", "--port", String(port), "--data", this.dataDir, "--output", "json"];
    const child = spawn(process.execPath, words, {
      env: cleanEnvironment(this.#options.env ?? {}),
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own: a signal to the test runner's group does not reach it.
      detached: true,
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#origin = await readyOrigin(child, () => this.#stderr);
  }

  /**
   * Sends a signal to the launcher, and answers when it has ended. SIGKILL also waits for the engine, which the kernel
   * ends with the launcher on Linux; elsewhere it is killed here.
   */
  async kill(signal: NodeJS.Signals): Promise<ServerExit> {
    const engine = signal === "SIGKILL" ? this.engine : null;
    this.#child?.kill(signal);
    const exit = await this.#exited;
    if (engine !== null) await killAndWait(engine, 5_000);
    return exit;
  }

  /** Starts it again over the same folder, on the same port. It must have ended. */
  restart(): Promise<void> {
    return this.start(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const launcher = identify(this.pid);
    const child = this.#child;
    if (launcher !== null && child !== null && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const impatience = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await this.#exited;
      clearTimeout(impatience);
      if (isAlive(launcher)) throw new Error(`The server ${launcher.pid} is still there.`);
    }
    if (this.#options.dataDir === undefined) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Reads `{"event":"ready","ui_url":…}`, the first line. */
function readyOrigin(child: ChildProcess, stderr: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = "";
    const timeout = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`The server was not ready within ${START_TIMEOUT_MS} ms. It wrote: ${stderr()}`));
    }, START_TIMEOUT_MS);
    child.stdout?.on("data", (chunk: Buffer) => {
      written += chunk.toString();
      const [line, ...more] = written.split("\n");
      if (more.length === 0 || line === undefined) return;
      clearTimeout(timeout);
      resolve((JSON.parse(line) as { ui_url: string }).ui_url);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timeout);
      reject(new Error(`The server ended before it was ready (${signal ?? code}). It wrote: ${stderr()}`));
    });
  });
}
