/** What becomes of a run whose process was lost, as its deployment says: its end, or another attempt. Pure. */
import { isInHand } from "#machine/occupancy";
import { ON_LOST_LABEL } from "#protocol/flow-control";
import { LIMITS } from "#protocol/limits";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import { after, type EpochMs, ms, toWireTime } from "#protocol/time";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";

/** The state that a lost run gets, with the reasons of all times that it was lost. */
export interface LostOutcome {
  readonly state: StateCreate;
  readonly returned: readonly string[];
}

/** The first wait before a lost run is offered again; it doubles. */
const FIRST_WAIT_MS = 1_000;

/**
 * Null where the run is to end Crashed with the reason alone: its deployment does not say otherwise, or nobody had begun to
 * execute it.
 */
export function offeredAgain(row: RunRow, spec: RunSpec | null, reason: string, now: EpochMs): LostOutcome | null {
  const { state, policy } = row.record;
  const wasBegun = state?.type === "RUNNING" || state?.type === "PAUSED" || state?.type === "SCHEDULED";
  if (spec?.labels[ON_LOST_LABEL] !== "retry" || !wasBegun || !isInHand(state, policy)) return null;
  const returned = [...row.returned, reason];
  const times = returned.length;
  if (times >= LIMITS.claimAttempts) {
    const all = returned.map((why, index) => `${index + 1}: ${why}`).join(" ");
    return { state: systemState("CRASHED", `The run was given back ${times} times. ${all}`, null), returned };
  }
  const dueAt = after(now, ms(FIRST_WAIT_MS * 2 ** (times - 1)));
  return { state: systemState("SCHEDULED", `${reason} The run is offered again.`, dueAt), returned };
}

function systemState(type: StateCreate["type"], message: string, dueAt: EpochMs | null): StateCreate {
  const scheduled_time = dueAt === null ? null : toWireTime(dueAt);
  return { type, name: null, message, data: null, state_details: { ...NO_DETAILS, scheduled_time } };
}
