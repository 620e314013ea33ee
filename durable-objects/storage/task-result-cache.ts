/** Results of task runs that others with the same cache key may use: one row a key in D1, the newest result. */
import type { TaskEffect } from "#machine/rule";
import type { State } from "#protocol/states";
import { type EpochMs, fromWireTime } from "#protocol/time";

type Remember = Extract<TaskEffect, { kind: "remember" }>;

/** Remembers a COMPLETED state; an older one never replaces a newer one. */
export async function rememberResult(db: D1Database, { cacheKey, expiresAt }: Remember, state: State): Promise<void> {
  await db
    .prepare(
      `INSERT INTO task_run_state_cache (cache_key, task_run_id, completed_at, expires_at, state) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (cache_key) DO UPDATE SET task_run_id = excluded.task_run_id, completed_at = excluded.completed_at,
         expires_at = excluded.expires_at, state = excluded.state WHERE excluded.completed_at >= completed_at`,
    )
    .bind(cacheKey, state.state_details.task_run_id, fromWireTime(state.timestamp), expiresAt, JSON.stringify(state))
    .run();
}

/** The state that is remembered under the key, unless it has expired. */
export async function rememberedResult(db: D1Database, cacheKey: string, now: EpochMs): Promise<State | null> {
  const row = await db
    .prepare("SELECT state FROM task_run_state_cache WHERE cache_key = ? AND (expires_at IS NULL OR expires_at > ?)")
    .bind(cacheKey, now)
    .first<{ state: string }>();
  return row === null ? null : (JSON.parse(row.state) as State);
}

/** Forgets what a deleted task run left under these keys. */
export async function forgetResults(db: D1Database, taskRunId: string, cacheKeys: readonly string[]): Promise<void> {
  if (cacheKeys.length === 0) return;
  await db
    .prepare("DELETE FROM task_run_state_cache WHERE cache_key IN (SELECT value FROM json_each(?)) AND task_run_id = ?")
    .bind(JSON.stringify(cacheKeys), taskRunId)
    .run();
}
