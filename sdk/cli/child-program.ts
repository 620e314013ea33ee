/** A program that a command runs in its own place: with its input and output, its signals and its exit code. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { CliError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";

/** What a program is told that this process is told. */
export const PASSED_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

export class ChildProgram {
  /** Its exit code, as a shell says it. Rejects with a {@link CliError} when it cannot be started. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  /**
   * Without a terminal it gets a group of its own, so that what it starts can be ended with it. With one it stays in
   * the group that the terminal talks to.
   */
  readonly #isGroup = !process.stdin.isTTY && process.platform !== "win32";

  constructor(words: readonly string[]) {
    const [program = "", ...rest] = words;
    const child = spawn(program, rest, { stdio: "inherit", detached: this.#isGroup });
    this.#child = child;
    this.ended = new Promise((resolve, reject) => {
      child.once("error", (error) => reject(notStarted(program, error)));
      child.once("exit", (code, signal) => resolve(signal === null ? (code ?? EXIT.failed) : exitCodeOf(signal)));
    });
  }

  /** Passes on what this process was told. */
  pass(signal: NodeJS.Signals): void {
    // Whatever is typed at a terminal it has been told already.
    if (this.#isGroup || !process.stdin.isTTY || signal === "SIGTERM") this.#signal(signal);
  }

  /** Asks it to end, and kills it, and what it started, when it has not after `graceMs` milliseconds. */
  async end(graceMs: number): Promise<void> {
    this.#signal("SIGTERM");
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([this.ended.catch(() => undefined), grace.promise]);
    clearTimeout(timer);
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (this.#isGroup) process.kill(-pid, signal);
      else this.#child.kill(signal);
    } catch (error) {
      // ESRCH: nobody is left to be told.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** What a shell answers for a program that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function notStarted(program: string, error: Error): CliError {
  const isThere = (error as NodeJS.ErrnoException).code !== "ENOENT";
  return new CliError(`"${program}" cannot be run: ${isThere ? error.message : "there is no such program"}.`, {
    fix: "Correct the words behind --. A line for a shell is run with: -- sh -c 'LINE'",
    code: "not_started",
    exitCode: isThere ? EXIT.notExecutable : EXIT.noProgram,
    cause: error,
  });
}
