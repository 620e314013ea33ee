/** The counter of an object: numbers of journal entries, versions of rows and chunks of log all come from it. */
import type { RunStore } from "./storage/run-store.ts";

/** Numbers are taken in blocks, so that a restart never hands one out twice although few are written down. */
const BLOCK = 1_000;

export class Sequence {
  #current: number;
  #reserved: number;

  /** Goes on after the greatest number that an earlier life of the object may have handed out. */
  constructor(store: RunStore) {
    this.#current = store.lastSeq();
    this.#reserved = this.#current;
  }

  get current(): number {
    return this.#current;
  }

  next(): number {
    this.#current += 1;
    return this.#current;
  }

  /** Writes the block of numbers in use; called in the transaction that uses them. */
  reserve(store: RunStore): void {
    if (this.#current <= this.#reserved) return;
    this.#reserved = this.#current + BLOCK;
    store.setMark("seq", this.#reserved);
  }
}
