/** Pages of schedules that a tick found to need runs; see cron/follow-schedules.ts. A page that comes twice makes nothing. */
import { z } from "zod";
import { Uuid } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { followSchedules } from "../scheduling/follow-schedules.ts";

const SchedulesMessage = z.object({ schedule_ids: z.array(Uuid) });

/** Handles the pages among the messages; answers the other messages. */
export async function consumeSchedulePages<T>(messages: readonly Message<T>[], env: Env): Promise<Message<T>[]> {
  const others: Message<T>[] = [];
  for (const message of messages) {
    const page = SchedulesMessage.safeParse(message.body);
    if (!page.success) {
      others.push(message);
      continue;
    }
    try {
      await followSchedules(env, page.data.schedule_ids, Date.now() as EpochMs);
      message.ack();
    } catch (error) {
      console.warn(`${page.data.schedule_ids.length} schedules were not followed; the queue tries again.`, error);
      message.retry({ delaySeconds: Math.min(60, 2 ** message.attempts) });
    }
  }
  return others;
}
