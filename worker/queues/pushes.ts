/**
 * Runs on their way to HTTP targets. A message names the claim; what is to be sent, and whether it still is, the pool's
 * object knows. A message that comes twice is sent twice under the same id at most, of which the target executes one.
 */
import { z } from "zod";
import { FlowRunId } from "#protocol/ids";
import { pushId } from "#protocol/push";
import { ownerOf } from "../../durable-objects/partition.ts";
import { attemptPush, type Send } from "../push/attempt.ts";
import { outbound } from "../push/send-out.ts";

const PushMessage = z.object({
  pool_name: z.string(),
  flow_run_id: FlowRunId,
  generation: z.int(),
  /** Only letters that were given up have it: somebody sends the run again. */
  reason: z.string().optional(),
});
type PushMessage = z.infer<typeof PushMessage>;

export async function consumePushes(batch: MessageBatch<unknown>, env: Env, send: Send = outbound(env)): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      try {
        const push = PushMessage.parse(message.body);
        const delayMs = push.reason === undefined ? await pushOnce(env, push, send) : await sendAgain(env, push);
        if (delayMs === null) message.ack();
        else message.retry({ delaySeconds: Math.ceil(delayMs / 1000) });
      } catch (error) {
        console.warn(`Message ${message.id} of queue "pushes" was not handled; the queue tries again.`, error);
        message.retry({ delaySeconds: Math.min(60, 2 ** message.attempts) });
      }
    }),
  );
}

/** Answers after how many milliseconds it is to be tried again; null when there is nothing left to do. */
async function pushOnce(env: Env, push: PushMessage, send: Send): Promise<number | null> {
  const { pool_name, flow_run_id: id, generation } = push;
  const pool = env.WORK_POOLS.getByName(pool_name);
  const order = await pool.nextPush(id, generation);
  if (order === null) return null;
  const next = await pool.settlePush(id, generation, await attemptPush(env, pool_name, order, send));
  if (next.kind === "again") return next.delayMs;
  if (next.kind === "give up") {
    const { attempts, said } = next;
    const owner = ownerOf(env.FLOW_RUNS, id);
    const reason = attempts > 1 ? `${said} It was tried ${attempts} times.` : said;
    await owner?.giveBack(id, generation, reason);
    if ((await owner?.read(id))?.state_type === "CRASHED") await keepLetter(env, push, reason, attempts);
  }
  return null;
}

/** The run is not pushed any more by itself; whoever has mended the target sends it again by its letter. */
async function keepLetter(env: Env, push: PushMessage, reason: string, attempts: number): Promise<void> {
  await env.DB.prepare(
    "INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, 'pushes', ?, ?, ?) ON CONFLICT DO NOTHING",
  )
    .bind(pushId(push.flow_run_id, push.generation), JSON.stringify({ ...push, reason }), attempts, Date.now())
    .run();
}

/** A letter was sent again: the run waits anew, as after `sluice flow-run retry`. One that goes on is left alone. */
async function sendAgain(env: Env, { flow_run_id: id }: PushMessage): Promise<null> {
  await ownerOf(env.FLOW_RUNS, id)?.retry(id, null);
  return null;
}
