/** Statuses of pools, queues and deployments beside those that events have told of. */
import { sql } from "drizzle-orm";
import { HTTP_POOL_TYPE } from "#protocol/push";
import type { EpochMs } from "#protocol/time";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { toldStatuses } from "../schema/told-statuses.ts";

/** A pool, queue or deployment whose status is to be told, with what its event names. */
export interface ChangedStatus {
  readonly kind: "work-pool" | "work-queue" | "deployment";
  readonly id: string;
  readonly name: string;
  readonly status: "READY" | "NOT_READY" | "PAUSED";
  readonly flowId: string | null;
  readonly flowName: string | null;
  readonly queueId: string | null;
  readonly queueName: string | null;
  readonly poolId: string | null;
  readonly poolName: string | null;
  readonly poolType: string | null;
  /** What was noted last; null when nothing was. */
  readonly notedStatus: string | null;
  readonly notedEventId: string | null;
  readonly notedSince: EpochMs | null;
}

export interface NotedStatus {
  readonly id: string;
  readonly status: string;
  readonly eventId: string;
  readonly since: EpochMs;
}

/** Who asked for runs within this span is ready. */
const POLLED_MS = 60_000;
/** Runs of an http pool are pushed: nobody has to be online for them. */
const ONLINE = sql`(coalesce(p.type, '') = ${HTTP_POOL_TYPE}
  OR EXISTS (SELECT 1 FROM workers AS w WHERE w.work_pool_id = p.id AND w.status = 'ONLINE'))`;

/**
 * What has another status than was told. A new pool's first status is told; queues and deployments begin as not ready.
 * Reads what statuses follow from, and no documents.
 */
export async function changedStatuses(env: Env, now: EpochMs, limit: number): Promise<ChangedStatus[]> {
  const polled = now - POLLED_MS;
  return openDb(env).all<ChangedStatus>(sql`
    SELECT c.*, t.status AS notedStatus, t.event_id AS notedEventId, t.since AS notedSince FROM (
      SELECT 'work-pool' AS kind, p.id AS id, p.name AS name,
        CASE WHEN p.is_paused THEN 'PAUSED' WHEN ${ONLINE} THEN 'READY' ELSE 'NOT_READY' END AS status,
        NULL AS flowId, NULL AS flowName, NULL AS queueId, NULL AS queueName,
        p.id AS poolId, p.name AS poolName, p.type AS poolType
      FROM work_pools AS p WHERE p.type <> 'prefect-agent'
      UNION ALL
      SELECT 'work-queue', q.id, q.name,
        CASE WHEN q.is_paused THEN 'PAUSED' WHEN q.last_polled > ${polled} OR ${ONLINE} THEN 'READY' ELSE 'NOT_READY' END,
        NULL, NULL, q.id, q.name, p.id, p.name, p.type
      FROM work_queues AS q JOIN work_pools AS p ON p.id = q.work_pool_id
      UNION ALL
      SELECT 'deployment', d.id, d.name,
        CASE WHEN d.last_polled > ${polled} OR ${ONLINE} THEN 'READY' ELSE 'NOT_READY' END,
        f.id, f.name, q.id, q.name, p.id, p.name, p.type
      FROM deployments AS d JOIN flows AS f ON f.id = d.flow_id
        LEFT JOIN work_pools AS p ON p.id = d.work_pool_id LEFT JOIN work_queues AS q ON q.id = d.work_queue_id
    ) AS c LEFT JOIN told_statuses AS t ON t.id = c.id
    WHERE t.told = 0 OR c.status <> coalesce(t.status, CASE c.kind WHEN 'work-pool' THEN '' ELSE 'NOT_READY' END)
    LIMIT ${limit}`);
}

/** Writes down what is about to be told. Answers the ids of what is to be told by the caller: the rest is told by another. */
export async function noteStatuses(env: Env, noted: readonly NotedStatus[]): Promise<Set<string>> {
  const rows = JSON.stringify(noted.map(({ id, status, eventId, since }) => [id, status, eventId, since]));
  const own = await openDb(env).all<{ id: string }>(sql`INSERT INTO told_statuses (id, status, event_id, since, told)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0 FROM json_each(${rows}) WHERE true
    ON CONFLICT DO UPDATE SET status = excluded.status, event_id = excluded.event_id, since = excluded.since, told = 0
      WHERE told_statuses.status <> excluded.status OR told_statuses.event_id = excluded.event_id
    RETURNING id`);
  return new Set(own.map(({ id }) => id));
}

/** The hub has these events. */
export async function markTold(env: Env, noted: readonly NotedStatus[]): Promise<void> {
  const ids = noted.map(({ id }) => id);
  const eventIds = noted.map(({ eventId }) => eventId);
  await openDb(env)
    .update(toldStatuses)
    .set({ told: true })
    .where(sql`${oneOf(toldStatuses.id, ids)} AND ${oneOf(toldStatuses.eventId, eventIds)}`);
}

/** Forgets what was told of things that are not there any more. */
export async function forgetToldOfDeleted(env: Env): Promise<void> {
  await openDb(
    env,
  ).run(sql`DELETE FROM told_statuses WHERE NOT EXISTS (SELECT 1 FROM work_pools AS p WHERE p.id = told_statuses.id)
    AND NOT EXISTS (SELECT 1 FROM work_queues AS q WHERE q.id = told_statuses.id)
    AND NOT EXISTS (SELECT 1 FROM deployments AS d WHERE d.id = told_statuses.id)`);
}
