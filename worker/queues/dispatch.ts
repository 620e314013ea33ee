/**
 * Runs on their way to their pools, where a direct offer failed: bursts are offered directly, too. A message carries an
 * id only; the run's owner knows the rest. An offer is idempotent by run, so a message that comes twice does no harm.
 */
import { z } from "zod";
import { FlowRunId } from "#protocol/ids";
import { ownerOf } from "../../durable-objects/partition.ts";
import { consumeScheduleMessages } from "./schedules.ts";

export const DispatchMessage = z.object({ flow_run_id: FlowRunId });

export async function consumeDispatch(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  const offers = await consumeScheduleMessages(batch.messages, env);
  await Promise.all(
    offers.map(async (message) => {
      const parsed = DispatchMessage.safeParse(message.body);
      const owner = parsed.success ? ownerOf(env.FLOW_RUNS, parsed.data.flow_run_id) : null;
      if (!parsed.success || !owner) {
        const reason = parsed.success ? "Its id leads to no owner: it was not made here." : parsed.error.issues;
        console.warn(`Message ${message.id} of queue "dispatch" is not understood.`, reason);
        message.retry();
        return;
      }
      try {
        await owner.offer(parsed.data.flow_run_id);
        message.ack();
      } catch (error) {
        console.warn(`Flow run ${parsed.data.flow_run_id} could not be offered; the queue tries again.`, error);
        message.retry({ delaySeconds: Math.min(60, 2 ** message.attempts) });
      }
    }),
  );
}
