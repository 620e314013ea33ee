/** What is written down with every state, whatever the rules said: identity and time of the state, and the counts. */

import { defaultStateName, isTerminal, type State, type StateCreate, type StateDetails } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { FlowRunRecord, Minted, RunRecord, TaskRunRecord } from "./rule.ts";

/** The moment of a transition: what was, what is to be, and when. */
export interface Entry<Run extends RunRecord> {
  readonly from: State | null;
  readonly to: StateCreate;
  readonly run: Run;
  readonly now: EpochMs;
  readonly minted: Minted;
}

/** A state in its final form, and the record that says so. */
export interface Booked<Run extends RunRecord> {
  readonly state: State;
  readonly run: Run;
}

/** Enters a state of a flow run. */
export function bookFlowRun(entry: Entry<FlowRunRecord>): Booked<FlowRunRecord> {
  const resuming = entry.run.policy.resuming === true;
  // The state of a subflow names the task run that stands for it.
  const { flowRunId, parentTaskRunId } = entry.run;
  const owner = { flow_run_id: flowRunId, ...(parentTaskRunId === null ? {} : { task_run_id: parentTaskRunId }) };
  const { state, run } = book(entry, owner, !resuming);
  const arrived = state.type === "RUNNING" || isTerminal(state.type);
  return { state, run: resuming && arrived ? { ...run, policy: { ...run.policy, resuming: false } } : run };
}

/** Enters a state of a task run. */
export function bookTaskRun<Run extends TaskRunRecord>(entry: Entry<Run>): Booked<Run> {
  return book(entry, { flow_run_id: entry.run.flowRunId, task_run_id: entry.run.taskRunId }, true);
}

function book<Run extends RunRecord>(
  entry: Entry<Run>,
  owner: Partial<StateDetails>,
  countsAsRun: boolean,
): Booked<Run> {
  const { from, to, run, minted } = entry;
  const at = uniqueTimestamp(from, entry.now);
  const scheduled = to.state_details.scheduled_time;
  const dueAt = to.type === "SCHEDULED" ? (scheduled ?? toWireTime(entry.now)) : scheduled;
  const state: State = {
    id: minted.stateId,
    type: to.type,
    name: to.name || defaultStateName(to.type),
    timestamp: toWireTime(at),
    message: to.message,
    data: to.data,
    state_details: { ...to.state_details, ...owner, scheduled_time: dueAt },
  };
  const starts = to.type === "RUNNING";
  const ends = isTerminal(to.type);
  return {
    state,
    run: {
      ...run,
      state,
      startTime: run.startTime ?? (starts || ends ? at : null),
      endTime: ends ? at : isTerminal(from?.type) ? null : run.endTime,
      totalRunTimeMs: run.totalRunTimeMs + (from?.type === "RUNNING" ? at - fromWireTime(from.timestamp) : 0),
      expectedStartTime: from === null ? (dueAt === null ? at : fromWireTime(dueAt)) : run.expectedStartTime,
      nextScheduledStartTime: to.type === "SCHEDULED" && dueAt !== null ? fromWireTime(dueAt) : null,
      runCount: run.runCount + (starts && countsAsRun ? 1 : 0),
    },
  };
}

/** Now, or one microsecond after the state before when that is not earlier. Timestamps are unique within a run. */
function uniqueTimestamp(from: State | null, now: EpochMs): EpochMs {
  // Counted in whole microseconds: a double that is added up in milliseconds would drift.
  const nowMicros = Math.round(now * 1000);
  if (from === null) return (nowMicros / 1000) as EpochMs;
  const nextMicros = Math.round(fromWireTime(from.timestamp) * 1000) + 1;
  return (Math.max(nowMicros, nextMicros) / 1000) as EpochMs;
}
