/**
 * Once an hour: what is kept for longer than the server's configuration says is removed, oldest first, within a bounded
 * time. What is left over is for the next hour, and so is what failed: nothing here depends on an earlier tick.
 */
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { retentionTerms } from "../../durable-objects/retention-terms.ts";
import {
  deleteOldDeadLetters,
  deleteOldKeys,
  deleteSilentWorkers,
  expiredRuns,
  expiredTaskRuns,
} from "../db/queries/expired.ts";
import { forgetToldOfDeleted } from "../db/queries/told-statuses.ts";
import { removeFlowRuns } from "../remove-flow-runs.ts";
import { removeEndedTaskRuns } from "../remove-task-runs.ts";

/** The minute of each hour in which it is done, away from the full hours at which schedules are due. */
const MINUTE = 17;
const BUDGET_MS = 20_000;
/** Runs that are removed before others have their turn in D1. */
const RUNS_PER_PAGE = 25;
const TASK_RUNS_PER_PAGE = 200;
/** Keeps a tick within the requests that the platform allows to one. */
const PAGES_PER_TICK = 300;

export interface RetentionBudget {
  /** Default: 20,000. */
  readonly timeMs?: number;
  /** Pages of 25 runs. Default: 300. */
  readonly pages?: number;
}

export interface Removed {
  readonly runs: number;
  readonly workers: number;
  readonly deadLetters: number;
  /** Outside flows; the others go with their runs. */
  readonly taskRuns: number;
  readonly keys: number;
}

/** Whether this minute's tick is the one of its hour. */
export function isRetentionMinute(scheduledTime: number): boolean {
  return new Date(scheduledTime).getUTCMinutes() === MINUTE;
}

/** Removes what has expired at `now`. */
export async function removeExpired(env: Env, now: EpochMs, budget: RetentionBudget = {}): Promise<Removed> {
  const terms = retentionTerms(env);
  const before = (spanMs: number): EpochMs => (now - spanMs) as EpochMs;
  const workers = terms.workerMs === null ? 0 : await deleteSilentWorkers(env, before(terms.workerMs));
  const deadLetters = terms.deadLetterMs === null ? 0 : await deleteOldDeadLetters(env, before(terms.deadLetterMs));
  await forgetToldOfDeleted(env);
  const keys = terms.keyMs === null ? 0 : await deleteOldKeys(env, before(terms.keyMs));
  const runs = terms.runMs === null ? 0 : await removeExpiredRuns(env, before(terms.runMs), budget);
  const taskRuns = terms.runMs === null ? 0 : await removeExpiredTaskRuns(env, before(terms.runMs), budget);
  return { runs, workers, deadLetters, taskRuns, keys };
}

async function removeExpiredRuns(
  env: Env,
  endedBefore: EpochMs,
  { timeMs = BUDGET_MS, pages = PAGES_PER_TICK }: RetentionBudget,
): Promise<number> {
  const giveUpAt = Date.now() + timeMs;
  let removed = 0;
  let after: FlowRunId | null = null;
  for (let page = 0; page < pages && Date.now() < giveUpAt; page += 1) {
    const ids: FlowRunId[] = await expiredRuns(env, { endedBefore, after, limit: RUNS_PER_PAGE });
    after = ids.at(-1) ?? null;
    if (after === null) break;
    removed += await removeFlowRuns(env, ids, { kind: "ended", before: endedBefore });
  }
  return removed;
}

async function removeExpiredTaskRuns(
  env: Env,
  endedBefore: EpochMs,
  { timeMs = BUDGET_MS, pages = PAGES_PER_TICK }: RetentionBudget,
): Promise<number> {
  const giveUpAt = Date.now() + timeMs;
  let removed = 0;
  let after: TaskRunId | null = null;
  for (let page = 0; page < pages && Date.now() < giveUpAt; page += 1) {
    const ids: TaskRunId[] = await expiredTaskRuns(env, { endedBefore, after, limit: TASK_RUNS_PER_PAGE });
    after = ids.at(-1) ?? null;
    if (after === null) break;
    removed += await removeEndedTaskRuns(env, ids, endedBefore);
  }
  return removed;
}
