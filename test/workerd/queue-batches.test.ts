/** Bursts of messages go out in as few calls as the platform allows. */
import { describe, it } from "vitest";
import { BatchSender, batchesOf, sendAll } from "../../durable-objects/queue-batches.ts";

const UUID = "0193a000-0000-7000-8000-00000000f10a";
const page = (count: number) => ({ schedule_ids: Array.from({ length: count }, () => UUID) });
const bytesOf = (batch: readonly unknown[]) => new TextEncoder().encode(JSON.stringify(batch)).byteLength;

/** The queue's side: what each call brought. */
class Calls {
  readonly made: unknown[][] = [];
  fault: Error | null = null;
  async sendBatch(messages: Iterable<MessageSendRequest<unknown>>): Promise<QueueSendBatchResponse> {
    if (this.fault) throw this.fault;
    this.made.push([...messages].map(({ body }) => body));
    return {} as QueueSendBatchResponse;
  }
}

describe("messages of a burst", () => {
  it.for([
    [0, []],
    [1, [1]],
    [100, [100]],
    [101, [100, 1]],
    [250, [100, 100, 50]],
  ] as const)("of %d go in calls of at most a hundred", ([count, sizes], { expect }) => {
    const bodies = Array.from({ length: count }, (_, index) => index);
    const batches = batchesOf(bodies);
    expect(batches.map((batch) => batch.length)).toEqual(sizes);
    expect(batches.flat()).toEqual(bodies);
  });

  it("go in calls below 256 kB, as those of ten thousand schedules would not", ({ expect }) => {
    const batches = batchesOf(Array.from({ length: 40 }, () => page(250)));
    expect(batches.flat()).toHaveLength(40);
    expect(batches.length).toBeGreaterThan(1);
    for (const batch of batches) expect(bytesOf(batch)).toBeLessThan(256_000);
  });

  it("that are sent one by one go out together, and each sender hears when", async ({ expect }) => {
    const calls = new Calls();
    const sender = new BatchSender(calls);
    await Promise.all(Array.from({ length: 120 }, (_, index) => sender.send({ index })));
    expect(calls.made.map((call) => call.length)).toEqual([100, 20]);
    await sender.send("later");
    expect(calls.made.at(-1)).toEqual(["later"]);
  });

  it("that the queue refuses fail for each sender, and not for those that come later", async ({ expect }) => {
    const calls = new Calls();
    const sender = new BatchSender(calls);
    calls.fault = new Error("no queue");
    const outcomes = await Promise.allSettled([sender.send(1), sender.send(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    calls.fault = null;
    await sender.send(3);
    await sendAll(calls, []);
    expect(calls.made).toEqual([[3]]);
  });
});
