/**
 * What schedules send through the dispatch queue: pages of schedules that a tick found to need runs (see
 * cron/follow-schedules.ts), and backfills of which a run has ended. One that comes twice makes nothing.
 */
import { z } from "zod";
import { FlowRunId, Uuid } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { advanceBackfill } from "../scheduling/backfill.ts";
import { followSchedules } from "../scheduling/follow-schedules.ts";

const ScheduleMessage = z.union([
  z.object({ schedule_ids: z.array(Uuid) }),
  z.object({ backfill_id: Uuid, ended_run_id: FlowRunId }),
]);

/** Handles those of schedules among the messages; answers the others. */
export async function consumeScheduleMessages<T>(messages: readonly Message<T>[], env: Env): Promise<Message<T>[]> {
  const others: Message<T>[] = [];
  for (const message of messages) {
    const { data } = ScheduleMessage.safeParse(message.body);
    if (data === undefined) {
      others.push(message);
      continue;
    }
    try {
      if ("schedule_ids" in data) await followSchedules(env, data.schedule_ids, Date.now() as EpochMs);
      else await advanceBackfill(env, data.backfill_id, data.ended_run_id);
      message.ack();
    } catch (error) {
      console.warn(`Message ${message.id} of queue "dispatch" was not handled; the queue tries again.`, error);
      message.retry({ delaySeconds: Math.min(60, 2 ** message.attempts) });
    }
  }
  return others;
}
