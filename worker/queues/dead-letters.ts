/** Messages that no consumer could handle are kept in D1, under the message's own id: one that comes twice is kept once. */
export async function consumeDeadLetters(batch: MessageBatch<unknown>, env: Env, queue: string): Promise<void> {
  await env.DB.batch(
    batch.messages.map((message) =>
      env.DB.prepare(
        "INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      ).bind(message.id, queue, JSON.stringify(message.body), message.attempts, message.timestamp.getTime()),
    ),
  );
  batch.ackAll();
}
