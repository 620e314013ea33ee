/** Counts and small rows for charts. */
import { and, eq, sql } from "drizzle-orm";
import type { FlowId, FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { NextFlowRun } from "#protocol/ui-reads";
import { oneOf } from "../filters.ts";
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

function counted(
  ids: readonly string[],
  rows: readonly { readonly id: string; readonly count: number }[],
): Record<string, number> {
  const counts = new Map(rows.map(({ id, count }) => [id, count]));
  return Object.fromEntries(ids.map((id) => [id, counts.get(id) ?? 0]));
}
