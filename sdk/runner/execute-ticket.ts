/** One claimed run from its ticket to its end: a process is started and watched, and its end is reported if it did not. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type ApiClient, ApiUnreachableError } from "../client/index.ts";
import { pause } from "../client/jitter.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";
import { giveBackFlowRun } from "../protocol/give-back.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";
import { reportEnd } from "./end-report.ts";
import { exitReason } from "./exit-reason.ts";
import { RunProcess } from "./process.ts";

/** What happens to a run on its worker. */
export type RunEvent =
  | { readonly kind: "run-started"; readonly ticket: RunTicket; readonly pid: number | null }
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
  /** Aborts when reports are not to be tried any longer. */
  readonly reporting: AbortSignal;
  readonly onProcess: (process: RunProcess) => void;
  readonly onEvent: (event: RunEvent) => void;
}

/** Something about the run itself keeps it from being started on this machine. */
class CannotStartError extends Error {
  override readonly name = "CannotStartError";
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

async function run(ticket: RunTicket, { client, onProcess, onEvent }: ExecuteOptions): Promise<Trouble | null> {
  try {
    const cwd = await workingDirectory(ticket);
    const child = new RunProcess({
      assignment: {
        apiUrl: client.url,
        apiKey: client.key,
        flowRunId: ticket.flow_run_id,
        generation: ticket.generation,
        entrypoint: ticket.entrypoint,
      },
      cwd,
      env: environment(ticket.job_variables),
      onLine: (line, stream) => onEvent({ kind: "output", ticket, stream, line }),
    });
    onProcess(child);
    onEvent({ kind: "run-started", ticket, pid: child.pid });
    const end = await child.ended;
    return end.reported ? null : { type: "CRASHED", reason: exitReason(end, end.lastError) };
  } catch (error) {
    if (error instanceof CannotStartError) return { type: "FAILED", reason: error.message };
    const said = error instanceof Error ? error.message : String(error);
    return { type: "CRASHED", reason: `The run's process could not be started: ${said}.` };
  }
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

/** Where the code of the run is on this machine. Throws {@link CannotStartError}. */
async function workingDirectory(ticket: RunTicket): Promise<string> {
  const fromVariables = ticket.job_variables["working_dir"];
  const base = resolve(
    typeof fromVariables === "string" && fromVariables !== "" ? fromVariables : (ticket.path ?? "."),
  );
  const cwd = resolve(base, pulledDirectory(ticket.pull_steps ?? []));
  const found = await stat(cwd).catch(() => null);
  if (found?.isDirectory()) return cwd;
  throw new CannotStartError(
    `The deployment's path ${cwd} is not a folder on this machine. Put the code there, or change the path of the deployment.`,
  );
}

const SET_WORKING_DIRECTORY = /(^|\.)set_working_directory$/;

/** Of Prefect's pull steps, the one that needs nothing but the folder is understood. */
function pulledDirectory(steps: readonly JsonObject[]): string {
  let directory = ".";
  for (const step of steps) {
    for (const [name, inputs] of Object.entries(step)) {
      const given = typeof inputs === "object" && inputs !== null ? Reflect.get(inputs, "directory") : undefined;
      if (!SET_WORKING_DIRECTORY.test(name) || typeof given !== "string") {
        throw new CannotStartError(
          `The deployment's pull step "${name}" is not one that this worker can do. Put the code on the worker's machine and set the deployment's path to it.`,
        );
      }
      directory = given;
    }
  }
  return directory;
}

/** Variables for the process, from the job variable `env`. Null values are left out, everything else becomes text. */
function environment(variables: JsonObject): Record<string, string> {
  const env = variables["env"];
  if (env === undefined || env === null) return {};
  if (typeof env !== "object" || Array.isArray(env)) {
    throw new CannotStartError(`The job variable "env" is ${JSON.stringify(env)}. Give an object of names and values.`);
  }
  const entries = Object.entries(env).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
