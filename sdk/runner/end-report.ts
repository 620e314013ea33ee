/**
 * Reports the end of a run on behalf of a process that cannot do so itself: the worker for a child that is gone, the
 * child for a flow that could not be loaded.
 *
 * It goes by the run channel and not by `set_state`, because the channel knows the claim: a run that was claimed again
 * meanwhile is not ended by its former holder.
 */
import { type ApiClient, RunChannel } from "../client/index.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { NO_DETAILS, type State, type StateCreate } from "../protocol/states.ts";
import { type EpochMs, toWireTime } from "../protocol/time.ts";

/** What became of a report. */
export type ReportOutcome =
  /** The run has the state now. */
  | { readonly kind: "stored"; readonly state: State }
  /** The run had ended, or had been given to somebody else, before the report arrived. */
  | { readonly kind: "too-late"; readonly because: string };

export interface EndReport {
  readonly client: ApiClient;
  readonly flowRunId: FlowRunId;
  readonly generation: number;
  readonly type: "CRASHED" | "FAILED";
  /** Why, as a sentence: becomes the message of the state and an error in the run's log. */
  readonly reason: string;
  /** Gives up after this many milliseconds without an answer. */
  readonly patienceMs: number;
}

const ERROR_LEVEL = 40;

/**
 * Proposes the end. A run that is being cancelled ends Cancelled instead, as its owner demands. Throws
 * `ApiUnreachableError` when nobody answers in time, and `SluiceError` for a key that may not report.
 */
export async function reportEnd(report: EndReport): Promise<ReportOutcome> {
  const { client, flowRunId, generation, type, reason } = report;
  const channel = new RunChannel({
    client,
    flowRunId,
    generation,
    // One request tells everything; a socket would have to be opened first.
    webSocket: null,
    openWithinMs: report.patienceMs,
    giveUpAfterMs: report.patienceMs,
  });
  try {
    const run = await channel.open();
    channel.log({
      name: "sluice.worker",
      level: ERROR_LEVEL,
      message: reason,
      timestamp: toWireTime(Date.now() as EpochMs),
      flow_run_id: flowRunId,
      task_run_id: null,
    });
    const wanted = run.state_type === "CANCELLING" ? "CANCELLED" : type;
    let { state, status, details } = await channel.propose(ending(wanted, reason));
    if (status === "REJECT" && state?.type === "CANCELLING") {
      ({ state, status, details } = await channel.propose(ending("CANCELLED", reason)));
    }
    await channel.close();
    if (state !== null && (status === "ACCEPT" || status === "REJECT")) return { kind: "stored", state };
    return { kind: "too-late", because: "reason" in details ? (details.reason ?? "") : "" };
  } catch (error) {
    if (error instanceof SluiceError && (error.code === "stale_generation" || error.code === "not_found")) {
      return { kind: "too-late", because: error.message };
    }
    throw error;
  } finally {
    // After a failure there is nothing to flush: this only lets go of the channel's timers.
    await channel.close().catch(() => undefined);
  }
}

function ending(type: "CRASHED" | "FAILED" | "CANCELLED", message: string): StateCreate {
  return { type, name: null, message, data: null, state_details: NO_DETAILS };
}
