/** Items on their way from a generator to whoever asks for them: it goes on when the one before was taken. */
import { onAbort } from "./on-abort.ts";

type Taken = IteratorResult<unknown, void>;

export class ItemStream {
  /** Whoever waits for an item. */
  #taker: { readonly resolve: (taken: Taken) => void; readonly reject: (error: unknown) => void } | null = null;
  #isAskedFor = Promise.withResolvers<"next" | "close">();
  #end: (() => Promise<Taken>) | null = null;
  #isClosed = false;

  /** Nobody asks for more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Waits until the next item is asked for; false when no more are. Rejects with the signal's reason. */
  async wanted(signal: AbortSignal): Promise<boolean> {
    if (this.#isClosed) return false;
    signal.throwIfAborted();
    const stopped = Promise.withResolvers<never>();
    const forget = onAbort(signal, () => stopped.reject(signal.reason));
    try {
      return (await Promise.race([this.#isAskedFor.promise, stopped.promise])) === "next";
    } finally {
      forget();
    }
  }

  /** Hands over the item that was asked for. */
  give(value: unknown): void {
    const taker = this.#taker;
    this.#taker = null;
    this.#isAskedFor = Promise.withResolvers();
    taker?.resolve({ done: false, value });
  }

  /** The run has ended: whoever asks hears of it. */
  end(ended: Promise<unknown>): void {
    const last = async (): Promise<Taken> => {
      await ended;
      return { done: true, value: undefined };
    };
    this.#end = last;
    const taker = this.#taker;
    this.#taker = null;
    if (taker !== null) last().then(taker.resolve, taker.reject);
    else void ended.catch(() => undefined);
  }

  next(): Promise<Taken> {
    if (this.#end !== null) return this.#end();
    if (this.#isClosed) return Promise.resolve({ done: true, value: undefined });
    if (this.#taker !== null) throw new Error("The next item was asked for before the one before had come.");
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject };
      this.#isAskedFor.resolve("next");
    });
  }

  /** No more items are wanted: the generator is told to return. */
  close(): void {
    this.#isClosed = true;
    this.#isAskedFor.resolve("close");
  }
}
