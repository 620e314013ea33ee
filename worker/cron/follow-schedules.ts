/**
 * The minute's scheduling: schedules that need runs are followed, in pages through the queue when there are many,
 * runs that are due soon are offered to their pools, and backfills go on. Idempotent: a tick may come twice, late, or not at all.
 */
import type { EpochMs } from "#protocol/time";
import { sendAll } from "../../durable-objects/queue-batches.ts";
import { runningBackfills } from "../db/queries/backfills.ts";
import { schedulesToCheck } from "../db/queries/scheduling.ts";
import { advanceBackfill } from "../scheduling/backfill.ts";
import { followSchedules } from "../scheduling/follow-schedules.ts";
import { offerSoonDue } from "../scheduling/offer-soon-due.ts";

/** Schedules of one message. */
const PAGE = 250;

export async function scheduleTick(env: Env, now: EpochMs): Promise<void> {
  const due = await schedulesToCheck(env, now);
  const pages: string[][] = [];
  for (let at = 0; at < due.length; at += PAGE) pages.push(due.slice(at, at + PAGE));
  const [first, ...others] = pages;
  await sendAll(
    env.DISPATCH_QUEUE,
    others.map((page) => ({ schedule_ids: page })),
  );
  if (first) await followSchedules(env, first, now);
  await offerSoonDue(env, now);
  for (const id of await runningBackfills(env)) {
    try {
      await advanceBackfill(env, id);
    } catch (error) {
      // One that cannot go on must not keep the others from going on.
      console.warn(`Backfill ${id} could not go on; the next tick tries again.`, error);
    }
  }
}
