/** The runs that hold slots of queues, as D1 knows them. */
import { and, asc, inArray, type SQL, sql } from "drizzle-orm";
import type { WorkPoolId, WorkQueueId } from "#protocol/ids";
import type { SlotHolder } from "#protocol/slot-holders";
import { fromWireTime } from "#protocol/time";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { flowRuns } from "../schema/flow-runs.ts";
import type { Page } from "./work-pools.ts";

const QUEUE = sql<WorkQueueId>`${flowRuns.doc} ->> '$.work_queue_id'`;
const HOLDS_SLOT = inArray(flowRuns.stateType, ["PENDING", "RUNNING", "CANCELLING"]);

/** Slots in use, by queue; queues without any are absent. */
export async function activeSlots(env: Env, queues: readonly WorkQueueId[]): Promise<Map<WorkQueueId, number>> {
  if (queues.length === 0) return new Map();
  return countsBy(env, oneOf(QUEUE, queues));
}

/** Slots in use in a pool, by queue. */
export async function activeSlotsOfPool(env: Env, pool: WorkPoolId): Promise<Map<WorkQueueId, number>> {
  return countsBy(env, sql`${flowRuns.workPoolId} = ${pool}`);
}

/** The runs that hold slots of a queue, the oldest first. */
export async function slotHolders(env: Env, queue: WorkQueueId, page: Page): Promise<SlotHolder[]> {
  const now = Date.now();
  const rows = await openDb(env)
    .select({ doc: flowRuns.doc })
    .from(flowRuns)
    .where(and(HOLDS_SLOT, sql`${QUEUE} = ${queue}`))
    .orderBy(asc(flowRuns.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(({ doc }) => {
    const since = doc.state?.timestamp ?? null;
    return {
      id: doc.id,
      name: doc.name,
      state_type: doc.state_type,
      state_name: doc.state_name,
      start_time: doc.start_time,
      state_timestamp: since,
      time_in_current_state: since === null ? null : (now - fromWireTime(since)) / 1_000,
    };
  });
}

async function countsBy(env: Env, where: SQL): Promise<Map<WorkQueueId, number>> {
  const rows = await openDb(env)
    .select({ queue: QUEUE, count: sql<number>`count(*)` })
    .from(flowRuns)
    .where(and(HOLDS_SLOT, where))
    .groupBy(QUEUE);
  return new Map(rows.map(({ queue, count }) => [queue, count]));
}
