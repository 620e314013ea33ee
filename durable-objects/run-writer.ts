/** Decides on the state of a run by a policy, and writes what was decided with all that follows from it. */
import { decide } from "#machine/decide";
import { isInHand } from "#machine/occupancy";
import type { Decision, Policy, Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { isTerminal, NO_DETAILS, type StateCreate } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import type { Copier } from "./copier.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { PartitionIds } from "./partition.ts";
import type { Performer } from "./perform.ts";
import type { ReportRecorder } from "./report-recorder.ts";
import { isAwaited } from "./schedule-gate.ts";
import type { Sequence } from "./sequence.ts";
import { stateDeadline } from "./state-deadlines.ts";
import type { RunRow } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";
import { dueTimeOf, timeToLiveMs } from "./time-to-live.ts";

/** Stands before the session of the process that took up a pushed run, where the holder of its lease is named. */
export const SESSION_PREFIX = "session ";

export interface RecorderParts {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly deadlines: Deadlines;
  readonly heartbeats: Heartbeats;
  readonly reports: ReportRecorder;
  readonly sequence: Sequence;
  readonly now: () => EpochMs;
  readonly heartbeatMs: number;
}

/** What of a run changes with a state beside the state itself. */
type RowChanges = Partial<Pick<RunRow, "lease" | "claims" | "returned">>;

/** Every method belongs inside a transaction, and awaits nothing (I3). */
export class RunWriter {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** What the policy makes of a proposed state. Nothing is written. */
  decide(row: RunRow, to: StateCreate, policy: Policy, reservation: Reservation, now: EpochMs): Decision {
    return decide(
      policy,
      { from: row.record.state, to },
      { now, run: row.record, reservation, mayHaveTwoProcesses: row.lease === null && row.returned.length > 0 },
      { stateId: this.#parts.ids.state(now) },
    );
  }

  /** Writes a decision, if it is one that changes the run: state, lease, deadlines, copies and effects. */
  write(id: FlowRunId, row: RunRow, decision: Decision, changes: RowChanges): void {
    const { store, copier, performer, deadlines, heartbeats, reports, sequence, now, heartbeatMs } = this.#parts;
    const written = decision.written;
    if (!written) return;
    const seq = sequence.next();
    const at = now();
    const type = written.state.type;
    const ended = isTerminal(type);
    const inHand = isInHand(written.state, written.run.policy);
    // From RUNNING on, the run's own process holds the lease that its worker held until then.
    const isNew = isTerminal(row.record.state?.type) && !ended;
    const isTakenUp = row.lease?.holder.startsWith(SESSION_PREFIX) ?? false;
    const lease = row.lease && type === "RUNNING" && !isTakenUp ? { ...row.lease, holder: "process" } : row.lease;
    const dueSince = dueTimeOf(written.state) ?? row.dueSince;
    const waits = dueSince === undefined || dueSince === written.run.expectedStartTime ? {} : { dueSince };
    const { dueSince: _, ...known } = row;
    store.appendJournal(seq, id, written.state);
    store.putRun(id, {
      ...known,
      ...waits,
      lease: inHand ? lease : null,
      // Who runs a finished run again has it tried as often as the first time.
      ...(isNew ? { returned: [] } : {}),
      ...changes,
      record: written.run,
      version: seq,
      updatedAt: at,
      states: [...row.states, seq],
    });
    if (ended) reports.forget(id);
    heartbeats.forget(id);
    const isWatched = inHand && (lease !== null || deadlines.kindOf(id) === "alive");
    const isBeating = inHand && deadlines.kindOf(id) === "beating";
    const isPolled = type === "PENDING" && deadlines.kindOf(id) === "polled";
    const deadline = stateDeadline({ record: written.run, ...waits }, () => timeToLiveMs(store.spec(id)?.labels));
    // While a process is watched, that is looked at often enough for the deadline of the state as well; beats are too
    // far apart for that, and a state with a deadline of its own needs no other.
    if (deadline !== null && !isWatched) deadlines.watch(id, deadline.kind, deadline.dueAt);
    else if (!isWatched) {
      if (!isBeating && !isPolled) deadlines.unwatch(id);
    } else if (lease !== null && (type === "RUNNING" || type === "CANCELLING") && deadlines.kindOf(id) !== "alive") {
      // The claim is confirmed, or there is nothing left to confirm: from here on heartbeats count.
      deadlines.watch(id, "alive", (at + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    copier.markRun(id, seq, ended, changes.lease && type === "PENDING" ? SPANS.claimCopyDelayMs : 0);
    performer.add(id, seq, written.effects, row.claims);
    if (ended && isAwaited(store.spec(id))) performer.addEnd(id, seq);
  }

  /** Marks a change that is not a state. */
  touch(id: FlowRunId, row: RunRow): void {
    const { store, copier, sequence, now } = this.#parts;
    const seq = sequence.next();
    store.appendJournal(seq, id, null);
    store.putRun(id, { ...row, version: seq, updatedAt: now(), states: [...row.states, seq] });
    copier.markRun(id, seq, false, 0);
  }
}

/** A state that the control plane itself proposes. */
export function systemState(type: StateCreate["type"], name: string | null, message: string): StateCreate {
  return { type, name, message, data: null, state_details: NO_DETAILS };
}
