/**
 * What a report about a task run makes of its stored row. Reports may come twice and out of order: states are kept
 * once by id and ordered by time, and everything else is derived from them, so the outcome is the same.
 */
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { TaskReport } from "#protocol/run-channel";
import { cutMessage, isTerminal, type State } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { TaskRow } from "./storage/run-rows.ts";

/** The row after the report. An existing row's id wins over the reported one: a re-executed flow makes new ids. */
export function applyTaskReport(
  before: TaskRow | null,
  flowRunId: FlowRunId | null,
  report: TaskReport,
  version: number,
  now: EpochMs,
): TaskRow {
  const id = before?.task.id ?? report.id;
  const states = mergeStates(before?.states ?? [], report.states, (state) => ({
    ...state,
    message: cutMessage(state.message),
    data: fits(state.data) ? state.data : null,
    state_details: { ...state.state_details, flow_run_id: flowRunId, task_run_id: id },
  }));
  const newest = states.at(-1) ?? null;
  // A report that comes late tells how the task run was, not how it is: its states are kept, the rest is known better.
  const isCurrent = before === null || report.states.some((state) => state.id === newest?.id);
  const said = isCurrent ? report : before.task;
  const first = states[0];
  const started = states.find((state) => state.type === "RUNNING") ?? null;
  const task: TaskRun = {
    id,
    created: before?.task.created ?? toWireTime(now),
    updated: toWireTime(now),
    name: said.name,
    flow_run_id: flowRunId,
    task_key: report.task_key,
    dynamic_key: report.dynamic_key,
    cache_key: said.cache_key,
    cache_expiration: before?.task.cache_expiration ?? null,
    task_version: said.task_version,
    empirical_policy: said.empirical_policy,
    tags: said.tags,
    labels: said.labels,
    state_id: newest?.id ?? null,
    task_inputs: said.task_inputs,
    state_type: newest?.type ?? null,
    state_name: newest?.name ?? null,
    run_count: Math.max(report.run_count, before?.task.run_count ?? 0),
    flow_run_run_count: Math.max(report.flow_run_run_count, before?.task.flow_run_run_count ?? 0),
    expected_start_time: first ? (first.state_details.scheduled_time ?? first.timestamp) : null,
    next_scheduled_start_time: newest?.type === "SCHEDULED" ? newest.state_details.scheduled_time : null,
    start_time: started?.timestamp ?? null,
    end_time: newest && isTerminal(newest.type) ? newest.timestamp : null,
    total_run_time: runningMs(states) / 1000,
    estimated_run_time: 0,
    estimated_start_time_delta: 0,
    state: newest,
  };
  return { task, states, version, ...(before?.effects ? { effects: before.effects } : {}) };
}

function mergeStates(known: readonly State[], reported: readonly State[], complete: (state: State) => State): State[] {
  const seen = new Set(known.map((state) => state.id));
  const merged = [...known];
  for (const state of reported) {
    if (seen.has(state.id)) continue;
    seen.add(state.id);
    merged.push(complete(state));
  }
  // Wire times have one fixed form, so they sort as text.
  merged.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
  // All states of a task run are one row, which has a size that it must not pass.
  if (merged.length > LIMITS.taskStates) merged.splice(1, merged.length - LIMITS.taskStates);
  return merged;
}

/** Data that is too large for a row is left out: the report of a state must not be lost for it. */
function fits(data: unknown): boolean {
  return data == null || JSON.stringify(data).length <= LIMITS.stateDataBytes;
}

/** The time spent in RUNNING states that were left. */
function runningMs(states: readonly State[]): number {
  let total = 0;
  for (const [index, state] of states.entries()) {
    const next = states[index + 1];
    if (state.type === "RUNNING" && next) total += fromWireTime(next.timestamp) - fromWireTime(state.timestamp);
  }
  return total;
}
