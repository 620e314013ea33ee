/** Functions that yield: run to their end, or item by item. */
import type { GeneratorCall } from "../returned.ts";
import { ItemStream } from "./item-stream.ts";

type Yielding = AsyncGenerator<unknown, unknown, void> | Generator<unknown, unknown, void>;

const FUNCTIONS: ReadonlySet<unknown> = new Set(["GeneratorFunction", "AsyncGeneratorFunction"]);

/** Whether calls of a function can be iterated: it was written as `function*` or `async function*`. */
export function isGeneratorFunction(run: (...args: never[]) => unknown): boolean {
  return FUNCTIONS.has((run as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]);
}

function isGenerator(value: unknown): value is Yielding {
  if (typeof value !== "object" || value === null) return false;
  const tag = (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === "Generator" || tag === "AsyncGenerator";
}

/** What is done with the items of a generator. */
export interface Collecting {
  /** Where they go one by one; null when only the list of all is wanted. */
  readonly stream: ItemStream | null;
  readonly signal: AbortSignal;
}

/** What a function answered; of one that yields, the list of what it yielded. */
export async function collected(answer: unknown, { stream, signal }: Collecting): Promise<unknown> {
  const value = await answer;
  if (!isGenerator(value)) return value;
  const items: unknown[] = [];
  for (;;) {
    if (stream !== null && !(await stream.wanted(signal))) {
      await value.return(undefined);
      return items;
    }
    signal.throwIfAborted();
    const { done, value: item } = await value.next();
    if (done) return items;
    items.push(item);
    stream?.give(item);
  }
}

/** Hands over items that are there already, such as those of a stored result. */
export async function handOver(items: unknown, stream: ItemStream | null, signal: AbortSignal): Promise<void> {
  if (stream === null || !Array.isArray(items)) return;
  for (const item of items) {
    if (!(await stream.wanted(signal))) return;
    stream.give(item);
  }
}

/**
 * A call of a generator that has not begun: awaited it runs to its end, iterated it runs item by item. `start` is called
 * once, in the scope of whoever called.
 */
export function generatorCall(start: (stream: ItemStream | null) => Promise<unknown>): GeneratorCall<unknown> {
  let all: Promise<unknown> | null = null;
  let isIterated = false;
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is awaited like any other call.
    then: (fulfilled, rejected) => {
      if (isIterated) throw new Error("The call of a generator was awaited after it was iterated. Call it again.");
      all ??= start(null);
      return (all as Promise<unknown[]>).then(fulfilled, rejected);
    },
    [Symbol.asyncIterator]() {
      if (isIterated || all !== null) throw new Error("The call of a generator was used twice. Call it again.");
      isIterated = true;
      const stream = new ItemStream();
      let ended: Promise<unknown> | null = null;
      const iterator: AsyncIterableIterator<unknown, void, void> = {
        next: () => {
          if (ended === null) {
            ended = start(stream);
            watch(ended, stream);
          }
          return stream.next();
        },
        async return() {
          stream.close();
          await ended;
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => iterator,
      };
      return iterator;
    },
  };
}

function watch(ended: Promise<unknown>, stream: ItemStream): void {
  const end = (): void => stream.end(ended);
  ended.then(end, end);
}
