/** The two programs of the demo, started as a person would start them, with their output in files. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../sdk/cli/main.ts", import.meta.url));
const KILL_AFTER_MS = 10_000;

export class Program {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  /** Runs `sluice <words>` in a group of its own, so that Ctrl-C reaches only the demo, which then stops them in order. */
  constructor(
    name: string,
    words: readonly string[],
    logFile: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, "a");
    this.#child = spawn(process.execPath, [CLI, ...words], {
      stdio: ["ignore", log, log],
      detached: true,
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    this.#gone = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Throws, with the last lines that it wrote, if it has ended. */
  async mustBeRunning(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) return;
    const lines = (await readFile(this.logFile, "utf8")).trimEnd().split("\n").slice(-10);
    throw new Error(
      `The ${this.name} has ended (${this.#child.signalCode ?? this.#child.exitCode}):\n  ${lines.join("\n  ")}`,
    );
  }

  /** Leaves it running when this process ends. */
  leave(): void {
    this.#child.unref();
  }

  /** Asks it to stop, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), KILL_AFTER_MS);
    await this.#gone;
    clearTimeout(timer);
  }
}

/** A port of this machine's loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The system gave out no port.");
  return address.port;
}
