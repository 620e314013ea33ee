/**
 * Hands new log lines to the hub of listeners, for runs that somebody listens to. Without a listener a line costs one
 * look into a set. What was stored is read again after its commit, so what a failed transaction undid is never sent.
 */
import type { FlowRunId } from "#protocol/ids";
import type { Log } from "#protocol/logs";
import { logOf } from "./log-lines.ts";
import type { PartitionIds } from "./partition.ts";
import type { RunStore } from "./storage/run-store.ts";

/** Stands for every run of the partition in the list of streamed runs. */
const EVERY_RUN = "*";
/** Chunks that wait for the hub; the stream is live, so what is more than this is not sent. */
const WAITING_CHUNKS = 1_000;
const CHUNKS_PER_CALL = 50;

export interface LogStreamParts {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  /** Sends lines to the listeners; answers whether anybody listens to their runs. */
  readonly publish: (lines: readonly Log[]) => Promise<boolean>;
}

export class LogStream {
  readonly #parts: LogStreamParts;
  readonly #streamed: Set<string>;
  #waiting: { readonly id: FlowRunId; readonly seq: number }[] = [];
  #isSending = false;
  /** Counts listeners that came, so that an answer from before one came does not end its stream. */
  #starts = 0;

  constructor(parts: LogStreamParts) {
    this.#parts = parts;
    this.#streamed = new Set(parts.store.streamedRuns());
  }

  /** From here on the lines of a run, or with null of every run here, are sent. */
  start(id: FlowRunId | null): void {
    const name = id ?? EVERY_RUN;
    this.#starts += 1;
    if (this.#streamed.has(name)) return;
    this.#streamed.add(name);
    this.#parts.store.putStreamedRun(name);
  }

  /** A chunk was stored (or will have been, when its transaction is committed). */
  note(id: FlowRunId, seq: number): void {
    if (!this.#streamed.has(id) && !this.#streamed.has(EVERY_RUN)) return;
    if (this.#waiting.length >= WAITING_CHUNKS) return;
    this.#waiting.push({ id, seq });
    if (this.#isSending) return;
    this.#isSending = true;
    setTimeout(() => void this.#send(), 0);
  }

  /** The run was deleted, and with it its entry. */
  forget(id: FlowRunId): void {
    this.#streamed.delete(id);
  }

  async #send(): Promise<void> {
    const { store, ids, publish } = this.#parts;
    while (this.#waiting.length > 0) {
      const { id } = this.#waiting[0] ?? {};
      // One run a call, so that the answer is about that run.
      const chunks = this.#waiting.filter((chunk) => chunk.id === id).slice(0, CHUNKS_PER_CALL);
      this.#waiting = this.#waiting.filter((chunk) => !chunks.includes(chunk));
      const lines = chunks.flatMap(({ seq }) => {
        const chunk = id && store.logChunk(id, seq);
        return chunk ? chunk.lines.map((line, index) => ({ ...logOf(ids, chunk, line, index), flow_run_id: id })) : [];
      });
      if (!id || lines.length === 0) continue;
      const starts = this.#starts;
      try {
        if (!(await publish(lines)) && starts === this.#starts) this.#stop(id);
      } catch (error) {
        console.warn(`Log lines of flow run ${id} did not reach those who listen.`, error);
      }
    }
    this.#isSending = false;
  }

  /** Nobody listened to this run, and so nobody to every run either. */
  #stop(id: FlowRunId): void {
    for (const name of [id, EVERY_RUN]) {
      if (this.#streamed.delete(name)) this.#parts.store.deleteStreamedRun(name);
    }
  }
}
