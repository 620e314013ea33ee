/** Where the jobs of runs are: processes of this machine, containers, and so on. One implementation for each type of pool. */
import type { ApiClient } from "../client/index.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";
import type { ProcessExit } from "./exit-reason.ts";
import type { RunAssignment } from "./run-assignment.ts";
import type { JobConfiguration } from "./template/job-configuration.ts";

export type RunLine = (line: string, stream: "stdout" | "stderr") => void;

/** How a job ended. */
export interface JobEnd extends ProcessExit {
  /** Whether the job said that the end of the run is stored. If not, somebody else has to report it. */
  readonly reported: boolean;
  /** The error that it wrote last on its standard error, if one could be told. */
  readonly lastError: string | null;
  /** Why it ended, where its place knows better than its exit code; null where not. */
  readonly reason: string | null;
}

/** A job that was started, and how to end it. */
export interface RunningJob {
  /** Resolves when the job is gone and its output was read. Rejects if it could not be started. */
  readonly ended: Promise<JobEnd>;
  /** Null before it was started, when it could not be, and for what is no process of this machine. */
  readonly pid: number | null;
  /** Whether it was started beforehand. */
  readonly isWarm: boolean;
  /** Asks the job to end, and kills it when it has not after `graceMs` milliseconds. */
  terminate(graceMs: number): void;
  kill(): void;
}

/** A job that can be started; more than once, where its work is tried again. Disposing of it clears away what it needed. */
export interface PreparedJob extends AsyncDisposable {
  /** Whether a command of the user's is started in place of the program that runs flows of TypeScript. */
  readonly hasCommand: boolean;
  /** Whether the job cannot tell the worker that the end of the run is stored. */
  readonly isSilent: boolean;
  start(
    assignment: RunAssignment,
    more: { readonly env: Readonly<Record<string, string>>; readonly onLine: RunLine },
  ): RunningJob;
}

export interface PrepareOptions {
  readonly client: ApiClient;
  /** Aborts when the run is to be ended. */
  readonly ending: AbortSignal;
  readonly onLine: RunLine;
}

/** What starts the jobs of one type of work pool. See `processInfrastructure`. */
export interface Infrastructure {
  /** The type of the work pools that it serves. */
  readonly type: string;
  /** Called when the worker begins, with the address of its API, and when it takes nothing more. */
  start(apiUrl: string): void;
  stop(): void;
  /** Throws `CannotStartError` for what will not be better the next time. */
  prepare(ticket: RunTicket, configuration: JobConfiguration, options: PrepareOptions): Promise<PreparedJob>;
}
