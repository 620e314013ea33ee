/** What a flow run waits for, as far as its owner knows. Pure. */
import { WAITS_FOR_A_SLOT } from "#machine/occupancy";
import { LIMITS } from "#protocol/limits";
import { HTTP_TARGET } from "#protocol/push";
import { isTerminal, type State } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { Why } from "#protocol/why";
import type { RunPlacement } from "./flow-run-owner.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";
import { expiresAt, timeToLiveMs } from "./time-to-live.ts";

/** What the first state of a schedule's run says, which is no news. */
const SCHEDULED_AHEAD = "Flow run scheduled";

export interface RunStanding {
  readonly state: State | null;
  readonly deploymentId: RunSpec["deploymentId"];
  readonly isWaiting: boolean;
  readonly reasons: readonly Why[];
  /** Where it waits for somebody to take it; null when it does not, or when nobody is offered it. */
  readonly waitsIn: Pick<RunPlacement, "poolName" | "queue"> | null;
  /** It takes slots of its deployment's limits when it is claimed, which is now, or as soon as there are some. */
  readonly wantsSlots: boolean;
  /** The pool that has it on the way to its HTTP target; null when it is not. */
  readonly pushedIn: string | null;
  /** It is due and waits for somebody who asks for it, in no pool. */
  readonly isUnplaced: boolean;
}

/** `polledUntil`: when the claim of a worker that polls ends, unless it is heard of; null where nothing is known of one. */
export function standingOf(row: RunRow, spec: RunSpec, now: EpochMs, polledUntil: EpochMs | null = null): RunStanding {
  const { state } = row.record;
  const base = {
    state,
    deploymentId: spec.deploymentId,
    isWaiting: true,
    waitsIn: null,
    pushedIn: null,
    wantsSlots: false,
    isUnplaced: false,
  };
  const returned = returnedWhy(row);
  switch (state?.type) {
    case "SCHEDULED": {
      const time = scheduledWhy(row, state, now);
      const isHeldBack = time.length > 0;
      const isInProcess = row.record.policy.retry_type === "in_process";
      const placement = isInProcess || isHeldBack ? null : spec.placement;
      return {
        ...base,
        reasons: [...time, ...returned, ...expiryWhy(row, spec)],
        waitsIn: placement,
        wantsSlots: !isInProcess && (!isHeldBack || state.name === WAITS_FOR_A_SLOT),
        isUnplaced: !isInProcess && !isHeldBack && spec.placement === null,
      };
    }
    case "PENDING":
      return {
        ...base,
        reasons: [claimedWhy(row, polledUntil), ...returned],
        pushedIn: row.lease?.holder === HTTP_TARGET ? (spec.placement?.poolName ?? null) : null,
      };
    case "PAUSED":
      return { ...base, reasons: [pausedWhy(state)] };
    default: {
      const name = state === null ? "without a state" : state.name;
      const message = isTerminal(state?.type) ? `It has ended: ${name}.` : `It is ${name}.`;
      const details = { state_type: state?.type ?? null, state_name: state?.name ?? null };
      return { ...base, isWaiting: state === null, reasons: [{ kind: "not_waiting", message, details }] };
    }
  }
}

function scheduledWhy({ record }: RunRow, state: State, now: EpochMs): Why[] {
  const due_at = state.state_details.scheduled_time ?? state.timestamp;
  if (fromWireTime(due_at) <= now) return [];
  if (state.name === WAITS_FOR_A_SLOT) {
    const message = `${state.message ?? "A concurrency limit had no free slot."} It is called when one is free, and asks again at ${due_at} at the latest.`;
    return [{ kind: "awaiting_slot", message, details: { due_at, said: state.message } }];
  }
  if (state.name === "AwaitingRetry") {
    const in_process = record.policy.retry_type === "in_process";
    const who = in_process ? "Its own process runs it again" : "It is offered again";
    const message = `${who} at ${due_at}; it has been started ${times(record.runCount)} so far.`;
    return [{ kind: "retry_delay", message, details: { due_at, run_count: record.runCount, in_process } }];
  }
  const because = state.message === null || state.message === SCHEDULED_AHEAD ? "" : ` ${state.message}`;
  return [{ kind: "not_due", message: `It is scheduled for ${due_at}.${because}`, details: { due_at } }];
}

function expiryWhy(row: RunRow, spec: RunSpec): Why[] {
  const endsAt = expiresAt(row, timeToLiveMs(spec.labels));
  if (endsAt === null) return [];
  const expires_at = toWireTime(endsAt);
  const message = `It ends Cancelled unless it is started before ${expires_at}: its time to live is over then.`;
  return [{ kind: "expires", message, details: { expires_at } }];
}

function claimedWhy({ lease, claims }: RunRow, polledUntil: EpochMs | null): Why {
  const endsAt = lease?.expiresAt ?? polledUntil;
  const until = endsAt === null ? null : toWireTime(endsAt);
  const message =
    lease === null
      ? `A worker that polls has claimed it and has not started it yet${until === null ? "." : `; the claim stands until ${until}, or as long as the worker is heard of.`}`
      : lease.holder === HTTP_TARGET || lease.holder.startsWith("session ")
        ? `It was given to the HTTP target of its pool (claim ${claims}) and has not been started yet; the claim stands until ${until}, or as long as it is being pushed.`
        : `Worker "${lease.holder}" has claimed it (claim ${claims}) and has not started it yet; the claim stands until ${until}, or as long as the worker is connected.`;
  return {
    kind: "claimed",
    message,
    details: { worker_name: lease?.holder ?? null, generation: claims, until },
  };
}

function pausedWhy(state: State): Why {
  const { pause_timeout: until, pause_reschedule: is_suspended, run_input_keyset } = state.state_details;
  const waits_for_input = run_input_keyset != null;
  const what = waits_for_input ? "It waits for input" : `It is ${is_suspended ? "suspended" : "paused"}`;
  const message = `${what} until somebody resumes it${until === null ? "" : `, at the latest until ${until}; then it fails`}.`;
  return { kind: "paused", message, details: { until, waits_for_input, is_suspended } };
}

function returnedWhy({ returned }: RunRow): Why[] {
  if (returned.length === 0) return [];
  const message = `It came back ${times(returned.length)} before its code was started, and ends Crashed after ${LIMITS.claimAttempts}: ${returned.join(" ")}`;
  const details = { times: returned.length, times_allowed: LIMITS.claimAttempts, reasons: [...returned] };
  return [{ kind: "returned", message, details }];
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
