/** Python processes that run scenarios of `flows/`, several at once in each, since importing Prefect takes seconds. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { prefectEnvironment } from "./servers.ts";
import type { Transcript } from "./transcript-diff.ts";
import { prefectPython } from "./venv.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

export interface Scenario {
  readonly name: string;
  /** Why Sluice cannot pass it yet; empty when it can. */
  readonly notYet: string;
  /** Why it is left out where time is short; empty when it is not. */
  readonly notQuick: string;
  readonly deadlineS: number;
}

export interface Outcome {
  readonly name: string;
  /** A traceback, or that the deadline passed. */
  readonly error: string | null;
  readonly transcript: Transcript | null;
}

export interface FlowSessionOptions {
  readonly apiUrl: string;
  /** How long two readings of a transcript must agree before it counts. */
  readonly settleMs: number;
  /** How many subflows a scenario with many of them starts at once. */
  readonly subflowsAtOnce: number;
  /** By what the deadlines of the scenarios are multiplied. */
  readonly patience: number;
  /** Where the processes' own output goes. */
  readonly logFile: string;
}

/** Settings of the client that shorten waiting and change nothing else. */
const QUICK = {
  PREFECT_LOGGING_TO_API_BATCH_INTERVAL: "0.1",
  PREFECT_CLIENT_MAX_RETRIES: "30",
  PREFECT_API_REQUEST_TIMEOUT: "300",
  PREFECT_RUNNER_POLL_FREQUENCY: "1",
  PREFECT_WORKER_QUERY_SECONDS: "1",
  PREFECT_LOGGING_LEVEL: "INFO",
  PREFECT_LOGGING_COLORS: "false",
  PREFECT_CLI_COLORS: "false",
  PREFECT_CLI_PROMPT: "false",
  PREFECT_CLI_WRAP_LINES: "false",
  PYTHONDONTWRITEBYTECODE: "1",
  PYTHONUNBUFFERED: "1",
};

/** One process. Dispose of it to end it, with what it started. */
export class FlowSession implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #patience: number;
  readonly #waiting = new Map<string, (outcome: Outcome) => void>();
  readonly #exited: Promise<void>;
  readonly scenarios: Promise<readonly Scenario[]>;

  static async open(options: FlowSessionOptions): Promise<FlowSession> {
    return new FlowSession(await prefectPython(), options);
  }

  private constructor(python: string, options: FlowSessionOptions) {
    this.#patience = options.patience;
    this.#folder = mkdtempSync(join(tmpdir(), "sluice-flows-"));
    this.#child = spawn(python, ["-m", "harness.serve"], {
      cwd: this.#folder,
      env: prefectEnvironment(this.#folder, {
        ...QUICK,
        PYTHONPATH: HERE,
        PREFECT_API_URL: options.apiUrl,
        SUBFLOWS_AT_ONCE: String(options.subflowsAtOnce),
        SETTLE_S: String(options.settleMs / 1_000),
      }),
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own, so that processes of a scenario that hangs end with it.
      detached: true,
    });
    this.#child.stderr?.pipe(createWriteStream(options.logFile, { flags: "a" }));
    this.#exited = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    this.scenarios = new Promise((resolve, reject) => {
      createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
        const answer = JSON.parse(line) as { scenarios: readonly Scenario[] } | Outcome;
        if ("scenarios" in answer) resolve(answer.scenarios);
        else this.#answered(answer);
      });
      this.#child.once("exit", (code) => {
        reject(new Error(`The Python process ended with ${code} before it was ready: see ${options.logFile}.`));
        for (const name of this.#waiting.keys()) {
          this.#answered({
            name,
            error: `The Python process ended with ${code}: see ${options.logFile}.`,
            transcript: null,
          });
        }
      });
    });
  }

  /** Runs a scenario. When its deadline has passed, answers what the server knows by then. */
  async run(scenario: Scenario): Promise<Outcome> {
    const deadlineS = scenario.deadlineS * this.#patience;
    const inTime = await this.#ask("run", scenario.name, deadlineS * 1_000);
    if (inTime !== null) return inTime;
    const { transcript } = await this.read(scenario.name);
    return { name: scenario.name, error: `It was not done within ${deadlineS} s.`, transcript };
  }

  /** The transcript of a scenario that has run, as it is now. */
  async read(name: string): Promise<Outcome> {
    const late = { name, error: "Its transcript could not be read within 30 s.", transcript: null };
    return (await this.#ask("read", name, 30_000)) ?? late;
  }

  #ask(verb: "run" | "read", name: string, withinMs: number): Promise<Outcome | null> {
    return new Promise((resolve) => {
      const timeout = setTimeout(() => {
        this.#waiting.delete(name);
        resolve(null);
      }, withinMs);
      this.#waiting.set(name, (outcome) => {
        clearTimeout(timeout);
        resolve(outcome);
      });
      this.#child.stdin?.write(`${JSON.stringify({ [verb]: name })}\n`);
    });
  }

  #answered(outcome: Outcome): void {
    this.#waiting.get(outcome.name)?.(outcome);
    this.#waiting.delete(outcome.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(-pid, "SIGKILL");
      await this.#exited;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
