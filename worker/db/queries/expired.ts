/** What is kept for too long, and its removal from D1, in pieces that leave the database to others in between. */
import { type SQL, sql } from "drizzle-orm";
import { type FlowRunId, makeUuid, type TaskRunId } from "#protocol/ids";
import { isTerminal, STATE_TYPES } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { apiKeys } from "../schema/access.ts";
import { artifacts } from "../schema/artifacts.ts";
import { deadLetters } from "../schema/dead-letters.ts";
import { flowRunKeys, flowRuns, taskRunKeys, taskRuns } from "../schema/flow-runs.ts";
import { workers } from "../schema/work-pools.ts";

const TERMINAL = STATE_TYPES.filter(isTerminal);
/** Rows that one statement removes at most. */
const ROWS_PER_STATEMENT = 500;

/**
 * Runs that ended before an instant, oldest first, from behind the id `after`. Children of a run that has not ended
 * are left out: it may still ask for what they did.
 *
 * A run that ended before an instant was made before it, and ids are in the order of making: so a range of the index
 * over state and id holds them, and no index over end times is paid for.
 */
export async function expiredRuns(
  env: Env,
  page: { readonly endedBefore: EpochMs; readonly after: FlowRunId | null; readonly limit: number },
): Promise<FlowRunId[]> {
  const { endedBefore, after, limit } = page;
  const bound = makeUuid({ at: endedBefore, shard: 0, windowsBack: 0, random: new Uint8Array(10) });
  const ofType = (type: string): SQL => sql`SELECT * FROM (SELECT ${flowRuns.id} AS id FROM ${flowRuns}
    WHERE ${flowRuns.stateType} = ${type} AND ${flowRuns.id} > ${after ?? ""} AND ${flowRuns.id} < ${bound}
      AND (${flowRuns.endTime} IS NULL OR ${flowRuns.endTime} < ${endedBefore})
      AND (${flowRuns.parentTaskRunId} IS NULL OR NOT EXISTS (
        SELECT 1 FROM ${taskRuns} AS stand_in JOIN ${flowRuns} AS parent ON parent.id = stand_in.flow_run_id
        WHERE stand_in.id = ${flowRuns.parentTaskRunId}
          AND (parent.state_type IS NULL OR NOT ${oneOf(sql`parent.state_type`, TERMINAL)})))
    ORDER BY ${flowRuns.id} LIMIT ${limit})`;
  const all = sql.join(TERMINAL.map(ofType), sql` UNION ALL `);
  const rows = await openDb(env).all<{ id: FlowRunId }>(sql`${all} ORDER BY id LIMIT ${limit}`);
  return rows.map((row) => row.id);
}

/**
 * Removes what D1 has of runs that their owners no longer have, idempotency keys and artifacts with it. Answers how many
 * of them were listed.
 */
export async function deleteRunRows(env: Env, ids: readonly FlowRunId[]): Promise<number> {
  const db = openDb(env);
  const isTheirs = oneOf(taskRuns.flowRunId, ids);
  await repeatedly(
    env,
    (limit) => sql`DELETE FROM ${taskRuns} WHERE (flow_run_id, id) IN (
    SELECT ${taskRuns.flowRunId}, ${taskRuns.id} FROM ${taskRuns} WHERE ${isTheirs} LIMIT ${limit})`,
  );
  const key = sql`${flowRuns.doc} ->> '$.idempotency_key'`;
  // The runs go last: a removal that was cut short is found again by them.
  const [, , listed] = await db.batch([
    db.delete(artifacts).where(oneOf(artifacts.flowRunId, ids)),
    db.delete(flowRunKeys).where(sql`${oneOf(flowRunKeys.flowRunId, ids)} AND (flow_id, key) IN (
      SELECT ${flowRuns.flowId}, ${key} FROM ${flowRuns} WHERE ${oneOf(flowRuns.id, ids)} AND ${key} IS NOT NULL)`),
    db.delete(flowRuns).where(oneOf(flowRuns.id, ids)),
  ]);
  return listed.meta.changes;
}

/** Task runs outside flows that ended before an instant, from behind the id `after`. Their owners decide. */
export async function expiredTaskRuns(
  env: Env,
  page: { readonly endedBefore: EpochMs; readonly after: TaskRunId | null; readonly limit: number },
): Promise<TaskRunId[]> {
  const { endedBefore, after, limit } = page;
  const rows = await openDb(env).all<{ id: TaskRunId }>(sql`SELECT ${taskRuns.id} AS id FROM ${taskRuns}
    WHERE ${taskRuns.flowRunId} = '' AND ${taskRuns.id} > ${after ?? ""} AND ${oneOf(taskRuns.stateType, TERMINAL)}
      AND (${taskRuns.endTime} IS NULL OR ${taskRuns.endTime} < ${endedBefore})
    ORDER BY ${taskRuns.id} LIMIT ${limit}`);
  return rows.map((row) => row.id);
}

/** Removes what D1 has of task runs outside flows that their owners no longer have, their keys with it. */
export async function deleteTaskRunRows(env: Env, ids: readonly TaskRunId[]): Promise<void> {
  const db = openDb(env);
  const isTheirs = sql`${taskRuns.flowRunId} = '' AND ${oneOf(taskRuns.id, ids)}`;
  await db.batch([
    db.delete(taskRunKeys).where(sql`${oneOf(taskRunKeys.taskRunId, ids)} AND (task_key, dynamic_key) IN (
      SELECT ${taskRuns.taskKey}, ${taskRuns.dynamicKey} FROM ${taskRuns} WHERE ${isTheirs})`),
    db.delete(taskRuns).where(isTheirs),
  ]);
}

/** Removes API keys whose end, by revocation or by their term, is older than an instant. */
export async function deleteOldKeys(env: Env, endedBefore: EpochMs): Promise<number> {
  return repeatedly(
    env,
    (limit) => sql`DELETE FROM ${apiKeys} WHERE id IN (
    SELECT ${apiKeys.id} FROM ${apiKeys} WHERE ${apiKeys.revoked} < ${endedBefore}
      OR ${apiKeys.expires} < ${endedBefore} LIMIT ${limit})`,
  );
}

/** Removes workers that were last seen before an instant. One that comes back is listed again. */
export async function deleteSilentWorkers(env: Env, seenBefore: EpochMs): Promise<number> {
  return repeatedly(
    env,
    (limit) => sql`DELETE FROM ${workers} WHERE id IN (
    SELECT ${workers.id} FROM ${workers} WHERE ${workers.status} = 'OFFLINE'
      AND coalesce(${workers.lastHeartbeatTime}, ${workers.updated}) < ${seenBefore} LIMIT ${limit})`,
  );
}

export async function deleteOldDeadLetters(env: Env, createdBefore: EpochMs): Promise<number> {
  return repeatedly(
    env,
    (limit) => sql`DELETE FROM ${deadLetters} WHERE id IN (
    SELECT ${deadLetters.id} FROM ${deadLetters} WHERE ${deadLetters.created} < ${createdBefore} LIMIT ${limit})`,
  );
}

/** Runs a statement until it has removed everything, a bounded number of rows at a time. Answers how many. */
async function repeatedly(env: Env, statement: (limit: number) => SQL): Promise<number> {
  let removed = 0;
  for (;;) {
    const { meta } = await openDb(env).run(statement(ROWS_PER_STATEMENT));
    removed += meta.changes;
    if (meta.changes < ROWS_PER_STATEMENT) return removed;
  }
}
