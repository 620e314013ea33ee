/** Counts and small rows for charts. */
import { and, asc, eq, sql } from "drizzle-orm";
import type { FlowRunFilters } from "#protocol/filters";
import type { FlowId, FlowRunId, TaskRunId } from "#protocol/ids";
import { STATE_TYPES, type StateType, TERMINAL_STATES } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { NextFlowRun } from "#protocol/ui-reads";
import { oneOf, taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { deployments } from "../schema/deployments.ts";
import { flowRuns, taskRuns } from "../schema/flow-runs.ts";

export async function countTaskRunsOf(env: Env, ids: readonly FlowRunId[]): Promise<Record<string, number>> {
  const rows = await openDb(env)
    .select({ id: taskRuns.flowRunId, count: sql<number>`count(*)` })
    .from(taskRuns)
    .where(
      and(
        oneOf(taskRuns.flowRunId, ids),
        sql`NOT EXISTS (SELECT 1 FROM ${flowRuns} WHERE ${flowRuns.parentTaskRunId} = ${taskRuns.id})`,
      ),
    )
    .groupBy(taskRuns.flowRunId);
  return counted(ids, rows);
}

export async function countDeploymentsOf(env: Env, ids: readonly FlowId[]): Promise<Record<string, number>> {
  const rows = await openDb(env)
    .select({ id: deployments.flowId, count: sql<number>`count(*)` })
    .from(deployments)
    .where(oneOf(deployments.flowId, ids))
    .groupBy(deployments.flowId);
  return counted(ids, rows);
}

/** Null for a flow that nothing is scheduled of. */
export async function nextRunsOf(env: Env, ids: readonly FlowId[]): Promise<Record<string, NextFlowRun | null>> {
  const rows = await openDb(env)
    .select({
      id: flowRuns.id,
      flowId: flowRuns.flowId,
      name: flowRuns.name,
      stateName: flowRuns.stateName,
      dueAt: sql<number>`min(${flowRuns.nextScheduledStartTime})`,
    })
    .from(flowRuns)
    .where(and(oneOf(flowRuns.flowId, ids), eq(flowRuns.stateType, "SCHEDULED")))
    .groupBy(flowRuns.flowId);
  const next = new Map(rows.map((row) => [row.flowId, row]));
  return Object.fromEntries(
    ids.map((id) => {
      const row = next.get(id);
      const run = row?.dueAt
        ? {
            id: row.id as FlowRunId,
            flow_id: id,
            name: row.name,
            state_name: row.stateName ?? "Scheduled",
            state_type: "SCHEDULED" as const,
            next_scheduled_start_time: toWireTime(row.dueAt as EpochMs),
          }
        : null;
      return [id, run];
    }),
  );
}

/** How many task runs completed or failed, by the span (of `spanMs`, counted from `from`) in which they started. */
export async function countEndedTaskRuns(
  env: Env,
  filters: FlowRunFilters,
  { from, spanMs }: { readonly from: number; readonly spanMs: number },
): Promise<{ readonly index: number; readonly completed: number; readonly failed: number }[]> {
  const index = sql<number>`CAST((${taskRuns.startTime} - ${from}) / ${spanMs} AS INTEGER)`;
  return openDb(env)
    .select({
      index,
      completed: sql<number>`sum(${taskRuns.stateType} NOT IN ('FAILED', 'CRASHED'))`,
      failed: sql<number>`sum(${taskRuns.stateType} IN ('FAILED', 'CRASHED'))`,
    })
    .from(taskRuns)
    .where(and(taskRunsWhere(filters), oneOf(taskRuns.stateType, [...TERMINAL_STATES])))
    .groupBy(index)
    .orderBy(asc(index));
}

export async function countTaskRunsByState(env: Env, filters: FlowRunFilters): Promise<Record<StateType, number>> {
  const rows = await openDb(env)
    .select({ type: taskRuns.stateType, count: sql<number>`count(*)` })
    .from(taskRuns)
    .where(taskRunsWhere(filters))
    .groupBy(taskRuns.stateType);
  const counts = new Map(rows.map(({ type, count }) => [type, count]));
  return Object.fromEntries(STATE_TYPES.map((type) => [type, counts.get(type) ?? 0])) as Record<StateType, number>;
}

/** A task run's copy with the name of its flow run. */
export async function taskRunWithFlowRunName(
  env: Env,
  id: TaskRunId,
): Promise<{ task: TaskRun; flowRunName: string | null } | null> {
  const [row] = await openDb(env)
    .select({ task: taskRuns.doc, flowRunName: flowRuns.name })
    .from(taskRuns)
    .leftJoin(flowRuns, eq(flowRuns.id, taskRuns.flowRunId))
    .where(eq(taskRuns.id, id));
  return row ?? null;
}

function counted(
  ids: readonly string[],
  rows: readonly { readonly id: string; readonly count: number }[],
): Record<string, number> {
  const counts = new Map(rows.map(({ id, count }) => [id, count]));
  return Object.fromEntries(ids.map((id) => [id, counts.get(id) ?? 0]));
}
