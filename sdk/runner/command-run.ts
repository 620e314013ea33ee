/**
 * A run whose deployment has a command and no entrypoint: the command itself is the work, in any language. The worker
 * tells the control plane what becomes of it: Running, its output as logs, and its end by its exit code.
 */
import { type ApiClient, RunChannel } from "../client/index.ts";
import { pause } from "../client/jitter.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";
import { NO_DETAILS, type OrchestrationResult, type State, type StateCreate } from "../protocol/states.ts";
import { type EpochMs, fromWireTime, toWireTime } from "../protocol/time.ts";
import type { RunTicket } from "../protocol/worker-channel.ts";
import { exitReason } from "./exit-reason.ts";
import type { JobEnd } from "./infrastructure.ts";

export interface CommandRunOptions {
  readonly client: ApiClient;
  readonly ticket: RunTicket;
  /** Aborts when the worker does not wait for the next attempt any longer. */
  readonly ending: AbortSignal;
  /** Starts the command; called again for each retry. */
  start(parameters: JsonObject, onLine: (line: string, stream: "stdout" | "stderr") => void): StartedCommand;
}

export interface StartedCommand {
  readonly ended: Promise<JobEnd>;
  terminate(): void;
}

const INFO = 20;
const ERROR = 40;

/** Resolves when the end of the run is stored. Throws when the control plane refuses the claim or stays away. */
export async function runCommand({ client, ticket, ending, start }: CommandRunOptions): Promise<void> {
  let command: StartedCommand | null = null;
  const cancelled = new AbortController();
  const channel = new RunChannel({
    client,
    flowRunId: ticket.flow_run_id,
    generation: ticket.generation,
    onControl: ({ action }) => {
      // A command cannot be suspended: it goes on.
      if (action === "suspend") return;
      cancelled.abort();
      command?.terminate();
    },
  });
  const log = (level: number, message: string): void =>
    channel.log({
      name: "sluice.command",
      level,
      message,
      timestamp: toWireTime(Date.now() as EpochMs),
      flow_run_id: ticket.flow_run_id,
      task_run_id: null,
    });
  const tell = async (end: StateCreate): Promise<OrchestrationResult> => {
    const verdict = await channel.propose(cancelled.signal.aborted ? CANCELLED : end);
    const isCancelling = verdict.status === "REJECT" && verdict.state?.type === "CANCELLING";
    return isCancelling ? await channel.propose(CANCELLED) : verdict;
  };
  try {
    const { parameters } = await channel.open();
    for (;;) {
      const begun = await tell(stateOf("RUNNING", null));
      if (begun.state?.type !== "RUNNING") break;
      command = start(parameters, (line, stream) => log(stream === "stdout" ? INFO : ERROR, line));
      if (cancelled.signal.aborted) command.terminate();
      const end = await command.ended;
      command = null;
      const verdict = await tell(endOf(end));
      if (verdict.status !== "REJECT" || verdict.state?.type !== "SCHEDULED") break;
      // The run is to be tried again, in the hands of this worker.
      const stop = AbortSignal.any([ending, cancelled.signal]);
      await pause(untilDue(verdict.state), stop).catch(() => undefined);
      if (stop.aborted) {
        await tell(stateOf("CRASHED", "The run's worker was stopped while the run waited for its next attempt."));
        break;
      }
    }
  } finally {
    command?.terminate();
    await channel.close();
  }
}

function endOf(end: JobEnd): StateCreate {
  if (end.code === 0) return stateOf("COMPLETED", null);
  if (end.signal !== null || end.reason !== null) {
    return stateOf("CRASHED", end.reason ?? exitReason(end, end.lastError));
  }
  const said = end.lastError === null ? "" : ` Its last error: ${end.lastError}`;
  return stateOf("FAILED", `The command ended with code ${end.code}.${said}`);
}

function untilDue({ state_details: { scheduled_time: at } }: State): number {
  return at ? Math.max(0, fromWireTime(at) - Date.now()) : 0;
}

const CANCELLED = stateOf("CANCELLED", "The command was ended.");

function stateOf(type: StateCreate["type"], message: string | null): StateCreate {
  return { type, name: null, message, data: null, state_details: NO_DETAILS };
}
