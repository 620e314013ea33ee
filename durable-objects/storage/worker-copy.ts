/** The copies of workers in D1, written when a worker connects and when it leaves. */
import type { WorkerRow } from "./pool-rows.ts";

/** A name keeps the row, and so the id, that it has. A pool that is not in D1 has no workers there either. */
const UPSERT_WORKERS = `INSERT INTO workers
    (id, created, updated, work_pool_id, name, type, status, last_heartbeat_time, heartbeat_interval_seconds)
  SELECT value ->> 0, value ->> 4, value ->> 4, work_pools.id, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?3
  FROM json_each(?1), work_pools WHERE work_pools.name = ?2
  ON CONFLICT (work_pool_id, name) DO UPDATE SET
    updated = excluded.updated, type = excluded.type, status = excluded.status,
    last_heartbeat_time = excluded.last_heartbeat_time, heartbeat_interval_seconds = excluded.heartbeat_interval_seconds`;

/** Writes the workers of one pool as they are, in one statement. */
export async function writeWorkerCopies(
  db: D1Database,
  poolName: string,
  workers: readonly WorkerRow[],
  heartbeatIntervalMs: number,
): Promise<void> {
  const rows = workers.map((worker) => [
    worker.id,
    worker.name,
    worker.type,
    worker.isOnline ? "ONLINE" : "OFFLINE",
    worker.lastSeenAt,
  ]);
  await db
    .prepare(UPSERT_WORKERS)
    .bind(JSON.stringify(rows), poolName, Math.max(1, Math.round(heartbeatIntervalMs / 1000)))
    .run();
}
