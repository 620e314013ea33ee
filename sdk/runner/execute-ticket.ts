/** One claimed run from its ticket to its end: a process is started and watched, and its end is reported if it did not. */
import { type ApiClient, ApiUnreachableError } from "../client/index.ts";
import { pause } from "../client/jitter.ts";
import { type JsonObject, readFlowRun } from "../protocol/flow-runs.ts";
import { giveBackFlowRun } from "../protocol/give-back.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";
import { CannotStartError } from "./cannot-start.ts";
import { runCommand } from "./command-run.ts";
import { reportEnd } from "./end-report.ts";
import { exitReason } from "./exit-reason.ts";
import type { Infrastructure, JobEnd, PreparedJob, RunLine, RunningJob } from "./infrastructure.ts";
import type { RunAssignment } from "./run-assignment.ts";
import { configureJob } from "./template/job-configuration.ts";
import { UnknownReferenceError } from "./template/references.ts";

/** What happens to a run on its worker. */
export type RunEvent =
  | { readonly kind: "run-started"; readonly ticket: RunTicket; readonly pid: number | null; readonly isWarm: boolean }
  | { readonly kind: "output"; readonly ticket: RunTicket; readonly stream: "stdout" | "stderr"; readonly line: string }
  /** `trouble` is why the run ended without its own doing; null when its process reported the end itself. */
  | { readonly kind: "run-ended"; readonly ticket: RunTicket; readonly trouble: string | null }
  /** The end of the run could not be reported; `because` is why. It is tried again unless `givenUp`. */
  | {
      readonly kind: "report-failed";
      readonly ticket: RunTicket;
      readonly because: string;
      readonly givenUp: boolean;
    };

export interface ExecuteOptions {
  readonly client: ApiClient;
  readonly workerName: string;
  readonly killGraceMs: number;
  /** The pool's base job template, as it is now. */
  readonly template: JsonObject;
  readonly infrastructure: Infrastructure;
  /** Aborts when the run is to be ended, also before it has a process. */
  readonly ending: AbortSignal;
  /** Aborts when reports are not to be tried any longer. */
  readonly reporting: AbortSignal;
  readonly onJob: (job: RunningJob) => void;
  readonly onEvent: (event: RunEvent) => void;
}

interface Trouble {
  readonly type: "CRASHED" | "FAILED";
  readonly reason: string;
}

const REPORT_PATIENCE_MS = 30_000;
const REPORT_AGAIN_MS = 2_000;

/**
 * Resolves when the process is gone and its end is known to the control plane, or can not be made known. Answers why
 * the run never came to its own code and was given back; null for every other end.
 */
export async function executeTicket(ticket: RunTicket, options: ExecuteOptions): Promise<string | null> {
  const trouble = await run(ticket, options);
  const isGivenBack = trouble?.type === "CRASHED" && (await giveBack(ticket, trouble, options));
  if (trouble !== null && !isGivenBack) await report(ticket, trouble, options);
  options.onEvent({ kind: "run-ended", ticket, trouble: trouble?.reason ?? null });
  return isGivenBack ? trouble.reason : null;
}

async function run(ticket: RunTicket, options: ExecuteOptions): Promise<Trouble | null> {
  const { client, ending, template, infrastructure } = options;
  try {
    const variables = ticket.job_variables;
    const configuration = await configureJob({ template, variables, client, env: process.env });
    const print: RunLine = (line, stream) => options.onEvent({ kind: "output", ticket, stream, line });
    await using job = await infrastructure.prepare(ticket, configuration, { client, ending, onLine: print });
    if (ending.aborted) return { type: "CRASHED", reason: "The run was ended before it was started." };
    if (job.hasCommand && ticket.entrypoint === null) return await commandIsTheWork(ticket, job, options);
    const end = await start(ticket, job, options).ended;
    return end.reported || (await hasEnded(ticket, job, end, client))
      ? null
      : { type: "CRASHED", reason: end.reason ?? exitReason(end, end.lastError) };
  } catch (error) {
    if (error instanceof CannotStartError || error instanceof UnknownReferenceError) {
      return { type: "FAILED", reason: error.message };
    }
    const said = error instanceof Error ? error.message : String(error);
    return {
      type: "CRASHED",
      reason: `The run's process could not be started: ${said}${said.endsWith(".") ? "" : "."}`,
    };
  }
}

function start(
  ticket: RunTicket,
  job: PreparedJob,
  { client, onJob, onEvent }: ExecuteOptions,
  more: { readonly env?: Readonly<Record<string, string>>; readonly onLine?: RunLine } = {},
): RunningJob {
  const assignment: RunAssignment = {
    apiUrl: client.url,
    apiKey: ticket.run_token ?? client.key,
    flowRunId: ticket.flow_run_id,
    generation: ticket.generation,
    entrypoint: ticket.entrypoint,
  };
  const running = job.start(assignment, { env: more.env ?? {}, onLine: more.onLine ?? (() => undefined) });
  onJob(running);
  onEvent({ kind: "run-started", ticket, pid: running.pid, isWarm: running.isWarm });
  return running;
}

async function commandIsTheWork(ticket: RunTicket, job: PreparedJob, options: ExecuteOptions): Promise<null> {
  let ended: Promise<JobEnd> | null = null;
  try {
    await runCommand({
      client: options.client,
      ticket,
      ending: options.ending,
      start: (parameters, onLine) => {
        const env = { SLUICE_PARAMETERS: JSON.stringify(parameters) };
        const running = start(ticket, job, options, { env, onLine });
        ended = running.ended;
        return { ended, terminate: () => running.terminate(options.killGraceMs) };
      },
    });
    return null;
  } finally {
    // What it works with is removed next: nobody may be at work in it.
    await (ended as Promise<JobEnd> | null)?.catch(() => undefined);
  }
}

/** Some jobs say nothing to the worker: whether the run has ended is then asked of the control plane. */
async function hasEnded(ticket: RunTicket, job: PreparedJob, end: JobEnd, client: ApiClient): Promise<boolean> {
  if (!job.isSilent || end.code !== 0) return false;
  const { state_type: type } = await client.call(readFlowRun, { params: { id: ticket.flow_run_id } });
  return type !== "RUNNING" && type !== "PENDING" && type !== "CANCELLING";
}

/** A run that was not started may be started elsewhere. False when it was, or when that could not be found out. */
async function giveBack(ticket: RunTicket, { reason }: Trouble, options: ExecuteOptions): Promise<boolean> {
  const { client, workerName, reporting } = options;
  const said = `${reason} (Worker "${workerName}".)`.slice(0, LIMITS.keyChars);
  try {
    const answer = await client.call(
      giveBackFlowRun,
      { params: { id: ticket.flow_run_id }, body: { generation: ticket.generation, reason: said } },
      { signal: reporting, patienceMs: REPORT_PATIENCE_MS, idempotent: true },
    );
    return answer.given_back;
  } catch {
    // The report that follows says what is the matter, and is tried again.
    return false;
  }
}

async function report(ticket: RunTicket, trouble: Trouble, options: ExecuteOptions): Promise<void> {
  const { client, workerName, reporting, onEvent } = options;
  const { flow_run_id: flowRunId, generation } = ticket;
  const reason = `${trouble.reason} (Worker "${workerName}".)`;
  while (!reporting.aborted) {
    try {
      const attempt = reportEnd({
        client,
        flowRunId,
        generation,
        type: trouble.type,
        reason,
        patienceMs: REPORT_PATIENCE_MS,
      });
      await Promise.race([attempt, aborted(reporting)]);
      return;
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      const givenUp = reporting.aborted || !(error instanceof ApiUnreachableError);
      onEvent({ kind: "report-failed", ticket, because, givenUp });
      if (givenUp) return;
      await pause(REPORT_AGAIN_MS, reporting).catch(() => undefined);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("the worker stops")), { once: true });
  });
}
