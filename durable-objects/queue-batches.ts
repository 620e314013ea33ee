/**
 * Sends messages to a queue in as few calls as the platform allows: 100 messages and 256 kB in one. What a burst sends
 * one by one within a few milliseconds goes out together.
 */

/** Messages in one call, and their bytes; the platform's bounds are 100 and 256 kB, its own bytes for each included. */
const MESSAGES = 100;
const BYTES = 240_000;
/** What the platform adds to a message, about. */
const OVERHEAD_BYTES = 100;
/** How long the first of a burst waits for the others, in milliseconds. */
const COLLECT_MS = 10;

type Sink = Pick<Queue<unknown>, "sendBatch">;

/** Sends all; fails with the first call that does, and what was in later ones is then not sent. */
export async function sendAll(queue: Sink, bodies: readonly unknown[]): Promise<void> {
  for (const batch of batchesOf(bodies)) await queue.sendBatch(batch.map((body) => ({ body })));
}

/** In their order. A message that is larger than all of them may be stands alone, for the queue to refuse. */
export function batchesOf<T>(bodies: readonly T[]): T[][] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = new TextEncoder().encode(JSON.stringify(body)).byteLength + OVERHEAD_BYTES;
    const last = batches.at(-1);
    if (last !== undefined && last.length < MESSAGES && bytes + size <= BYTES) {
      last.push(body);
      bytes += size;
    } else {
      batches.push([body]);
      bytes = size;
    }
  }
  return batches;
}

/** Sends messages together that come close together; each caller hears of its own call. */
export class BatchSender {
  readonly #queue: Sink;
  #waiting: unknown[] = [];
  #next: Promise<void> | null = null;

  constructor(queue: Sink) {
    this.#queue = queue;
  }

  /** Resolves when the message is the queue's. */
  send(body: unknown): Promise<void> {
    this.#waiting.push(body);
    this.#next ??= this.#flush();
    return this.#next;
  }

  async #flush(): Promise<void> {
    await scheduler.wait(COLLECT_MS);
    const bodies = this.#waiting;
    this.#waiting = [];
    this.#next = null;
    await sendAll(this.#queue, bodies);
  }
}
