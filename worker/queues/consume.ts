/** Which consumer takes which queue's messages. */
import { consumeDeadLetters } from "./dead-letters.ts";
import { consumeDispatch } from "./dispatch.ts";
import { consumePushes } from "./pushes.ts";

const DEAD = "-dead";

export async function consume(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  if (batch.queue.endsWith(DEAD)) return consumeDeadLetters(batch, env, batch.queue.slice(0, -DEAD.length));
  if (batch.queue === "dispatch") return consumeDispatch(batch, env);
  if (batch.queue === "pushes") return consumePushes(batch, env);
  // Nothing is sent to the other queues yet: whatever arrives there is kept as a dead letter, not dropped.
  console.warn(`Queue "${batch.queue}" has ${batch.messages.length} messages that this version does not understand.`);
  return consumeDeadLetters(batch, env, batch.queue);
}
