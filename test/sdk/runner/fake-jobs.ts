/** Jobs that start nothing: a test says how each one ends. */
import type { Infrastructure, JobEnd, PreparedJob, RunLine } from "../../../sdk/runner/infrastructure.ts";
import type { RunAssignment } from "../../../sdk/runner/run-assignment.ts";

export const REPORTED: JobEnd = { code: 0, signal: null, reported: true, lastError: null, reason: null };
export const SILENT: JobEnd = { ...REPORTED, reported: false };
export const KILLED: JobEnd = { ...SILENT, code: null, signal: "SIGKILL" };

export interface FakeJob {
  readonly assignment: RunAssignment;
  readonly env: Readonly<Record<string, string>>;
  /** What it was told, in its order: `terminate 300`, `kill`. */
  readonly told: string[];
  write: RunLine;
  end(how: JobEnd | Error): void;
}

export interface FakeJobs extends Infrastructure {
  readonly started: FakeJob[];
  /** What happened to the infrastructure, in its order: `start`, `prepare`, `dispose`, `stop`. */
  readonly seen: string[];
  /** Of each job that was prepared. */
  readonly configurations: unknown[];
}

export interface FakeJobsOptions extends Partial<Pick<PreparedJob, "hasCommand" | "isSilent">> {
  readonly type?: string;
  /** Awaited before a job is prepared; what it throws is thrown. */
  readonly before?: (ending: AbortSignal) => unknown;
  /** How each job ends, as soon as it is started. Default: when the test says. */
  readonly ends?: JobEnd;
}

export function fakeJobs(options: FakeJobsOptions = {}): FakeJobs {
  const { type = "process", hasCommand = false, isSilent = false, before, ends } = options;
  const started: FakeJob[] = [];
  const seen: string[] = [];
  const configurations: unknown[] = [];
  return {
    configurations,
    type,
    started,
    seen,
    start: () => void seen.push("start"),
    stop: () => void seen.push("stop"),
    async prepare(_ticket, configuration, { ending }) {
      seen.push("prepare");
      configurations.push(configuration);
      await before?.(ending);
      return {
        hasCommand,
        isSilent,
        start(assignment, { env, onLine }) {
          const ended = Promise.withResolvers<JobEnd>();
          const told: string[] = [];
          const end = (how: JobEnd | Error): void => (how instanceof Error ? ended.reject(how) : ended.resolve(how));
          started.push({ assignment, env, told, write: onLine, end });
          if (ends) end(ends);
          return {
            ended: ended.promise,
            pid: null,
            isWarm: false,
            terminate: (graceMs) => void told.push(`terminate ${graceMs}`),
            kill: () => {
              told.push("kill");
              end(KILLED);
            },
          };
        },
        [Symbol.asyncDispose]: async () => void seen.push("dispose"),
      };
    },
  };
}
