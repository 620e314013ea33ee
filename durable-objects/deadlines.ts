/**
 * What the object's one alarm watches: claims that nobody confirmed, and running flows that fell silent.
 *
 * A row says that a run is watched and since when; that a run showed itself alive is not written, so a heartbeat costs
 * nothing. A deadline counts only time in which the control plane could listen: one that passed while the object was
 * away moves once, to one full term after the object's start, before it is acted on.
 */
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { DeadlineKind, DeadlineRow } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";

export class Deadlines {
  readonly #store: RunStore;
  readonly #rows = new Map<FlowRunId, DeadlineRow>();
  /** The rows as they are stored, which is what an object that lost its memory goes by. */
  readonly #stored = new Map<FlowRunId, DeadlineRow>();
  /** Those that began while this object listened. */
  readonly #begunHere = new Set<FlowRunId>();
  readonly #startedAt: EpochMs;

  constructor(store: RunStore, startedAt: EpochMs) {
    this.#store = store;
    this.#startedAt = startedAt;
  }

  /** Reads what an earlier life of the object watched. */
  load(): void {
    for (const row of this.#store.deadlines()) {
      this.#rows.set(row.runId, row);
      this.#stored.set(row.runId, row);
    }
  }

  /** Watches a run; replaces what was watched of it. */
  watch(runId: FlowRunId, kind: DeadlineKind, dueAt: EpochMs): void {
    this.#begunHere.add(runId);
    this.#put({ runId, kind, dueAt, postponed: false });
  }

  unwatch(runId: FlowRunId): void {
    this.#begunHere.delete(runId);
    this.#stored.delete(runId);
    if (this.#rows.delete(runId)) this.#store.deleteDeadline(runId);
  }

  kindOf(runId: FlowRunId): DeadlineKind | null {
    return this.#rows.get(runId)?.kind ?? null;
  }

  /** When the deadline of a run passes; null for one that is not watched so. */
  dueAt(runId: FlowRunId, kind: DeadlineKind): EpochMs | null {
    const row = this.#rows.get(runId);
    return row?.kind === kind ? row.dueAt : null;
  }

  /**
   * Moves a deadline after a sign of life, in memory only; a stored row that was postponed is written, since the next
   * object without memory would act on it at once.
   */
  extend(runId: FlowRunId, dueAt: EpochMs): void {
    const row = this.#rows.get(runId);
    if (!row || row.dueAt >= dueAt) return;
    const extended: DeadlineRow = { ...row, dueAt, postponed: false };
    if (this.#stored.get(runId)?.postponed) this.#put(extended);
    else this.#rows.set(runId, extended);
  }

  /**
   * Moves a deadline after a sign of life that is heard of only once, to one term of `termMs` after `now`. It is written
   * only when the stored one has passed or was postponed, so a row serves several signs: an object that loses its memory
   * of them goes by the stored one, which it postpones by a full term before it acts on it.
   */
  renew(runId: FlowRunId, kind: DeadlineKind, now: EpochMs, termMs: number): void {
    const row: DeadlineRow = { runId, kind, dueAt: (now + termMs) as EpochMs, postponed: false };
    const stored = this.#stored.get(runId);
    const isGood = stored?.kind === kind && !stored.postponed && stored.dueAt > now;
    if (isGood) this.#rows.set(runId, row);
    else this.#put(row);
  }

  /** When the alarm has to look next; null when nothing is watched. */
  nextDueAt(): EpochMs | null {
    let next: EpochMs | null = null;
    for (const row of this.#rows.values()) if (next === null || row.dueAt < next) next = row.dueAt;
    return next;
  }

  /** Everything that is due at `now`. */
  due(now: EpochMs): DeadlineRow[] {
    return [...this.#rows.values()].filter((row) => row.dueAt <= now);
  }

  /** Every run that is watched. */
  runIds(): IterableIterator<FlowRunId> {
    return this.#rows.keys();
  }

  /**
   * Whether a passed deadline may be acted on. If the object was away since it began and has not listened for one full
   * term since it started, the deadline is moved instead (once: an object that sleeps between alarms starts anew at each
   * of them).
   */
  mayAct(row: DeadlineRow, now: EpochMs, termMs: number): boolean {
    if (row.postponed || this.#begunHere.has(row.runId) || now - this.#startedAt >= termMs) return true;
    this.#put({ ...row, dueAt: (now + termMs) as EpochMs, postponed: true });
    return false;
  }

  #put(row: DeadlineRow): void {
    this.#rows.set(row.runId, row);
    this.#stored.set(row.runId, row);
    this.#store.putDeadline(row);
  }
}
