/** Queries over the copies of flow runs, and the owner of idempotency keys. */
import { asc, desc, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { FlowRunFilters, FlowRunSort } from "#protocol/filters";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowId, FlowRunId } from "#protocol/ids";
import { TERMINAL_STATES } from "#protocol/states";
import { flowRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { flowRunKeys, flowRuns } from "../schema/flow-runs.ts";

const ORDER = {
  ID_DESC: [],
  START_TIME_ASC: [asc(flowRuns.startsAt)],
  START_TIME_DESC: [desc(flowRuns.startsAt)],
  EXPECTED_START_TIME_ASC: [asc(flowRuns.expectedStartTime)],
  EXPECTED_START_TIME_DESC: [desc(flowRuns.expectedStartTime)],
  NAME_ASC: [asc(flowRuns.name)],
  NAME_DESC: [desc(flowRuns.name)],
  NEXT_SCHEDULED_START_TIME_ASC: [sql`${flowRuns.nextScheduledStartTime} ASC NULLS LAST`],
  END_TIME_DESC: [sql`${flowRuns.endTime} DESC NULLS LAST`],
} satisfies Record<FlowRunSort, SQL[]>;

export async function listFlowRuns(
  env: Env,
  filters: FlowRunFilters,
  page: { readonly sort: FlowRunSort; readonly limit: number; readonly offset: number },
): Promise<FlowRun[]> {
  const db = openDb(env);
  const order = [...ORDER[page.sort], desc(flowRuns.id)];
  // Which runs is found without their documents: a sort would carry those of all that match, page after page.
  const ids = db
    .select({ id: flowRuns.id })
    .from(flowRuns)
    .where(flowRunsWhere(filters))
    .orderBy(...order)
    .limit(page.limit)
    .offset(page.offset);
  const rows = await db
    .select({ doc: flowRuns.doc })
    .from(flowRuns)
    .where(inArray(flowRuns.id, ids))
    .orderBy(...order);
  return rows.map((row) => row.doc);
}

/** Ids of the newest runs that match. */
export async function listFlowRunIds(env: Env, filters: FlowRunFilters, limit: number): Promise<FlowRunId[]> {
  const rows = await openDb(env)
    .select({ id: flowRuns.id })
    .from(flowRuns)
    .where(flowRunsWhere(filters))
    .orderBy(desc(flowRuns.id))
    .limit(limit);
  return rows.map((row) => row.id as FlowRunId);
}

/** By how many seconds runs started later than expected, or wait longer by now; null when none matches. */
export async function averageLatenessSeconds(env: Env, filters: FlowRunFilters, nowMs: number): Promise<number | null> {
  const ended = JSON.stringify([...TERMINAL_STATES]);
  const [row] = await openDb(env)
    .select({
      average: sql<number | null>`avg(CASE
        WHEN ${flowRuns.startTime} > ${flowRuns.expectedStartTime} THEN ${flowRuns.startTime} - ${flowRuns.expectedStartTime}
        WHEN ${flowRuns.startTime} IS NULL AND ${flowRuns.stateType} NOT IN (SELECT value FROM json_each(${ended}))
          AND ${flowRuns.expectedStartTime} < ${nowMs} THEN ${nowMs} - ${flowRuns.expectedStartTime}
        ELSE 0 END)`,
    })
    .from(flowRuns)
    .where(flowRunsWhere(filters));
  return row?.average == null ? null : row.average / 1_000;
}

export async function countFlowRuns(env: Env, filters: FlowRunFilters): Promise<number> {
  return openDb(env).$count(flowRuns, flowRunsWhere(filters));
}

/** The run that has this key of its flow: the given one if the key is new, otherwise the one that came first. */
export async function claimKey(env: Env, flowId: FlowId, key: string, id: FlowRunId): Promise<FlowRunId> {
  const db = openDb(env);
  const [inserted] = await db
    .insert(flowRunKeys)
    .values({ flowId, key, flowRunId: id })
    .onConflictDoNothing()
    .returning({ id: flowRunKeys.flowRunId });
  if (inserted) return id;
  const [known] = await db
    .select({ id: flowRunKeys.flowRunId })
    .from(flowRunKeys)
    .where(sql`${flowRunKeys.flowId} = ${flowId} AND ${flowRunKeys.key} = ${key}`);
  return (known?.id ?? id) as FlowRunId;
}

/** Frees a deleted run's key, so that it can be used again. */
export async function freeKey(env: Env, flowId: FlowId, key: string, id: FlowRunId): Promise<void> {
  await openDb(env)
    .delete(flowRunKeys)
    .where(sql`${flowRunKeys.flowId} = ${flowId} AND ${flowRunKeys.key} = ${key} AND ${eq(flowRunKeys.flowRunId, id)}`);
}
