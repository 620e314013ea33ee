/**
 * The time that a platform gives to one request. Before it is over, the run is handed on: a task that would begin then is
 * held at its boundary, those under way may end, and another request goes on with what is left.
 */
import type { TaskRunId } from "../../protocol/ids.ts";
import { type EpochMs, ms } from "../../protocol/time.ts";
import type { Clock } from "../clock.ts";
import { onAbort } from "./on-abort.ts";

export interface BudgetSpan {
  /** From here on no task begins. */
  readonly closesAt: EpochMs;
  /** What is still under way is left here. */
  readonly endsAt: EpochMs;
}

export interface HandOver {
  /** When the run is to go on; null for at once. */
  readonly dueAt: EpochMs | null;
  /** A task was cut off, or restoring took all the time, and no result was kept: the next request would come no further. */
  readonly isStuck: boolean;
}

interface Parked {
  readonly caller: TaskRunId | null;
  readonly dueAt: EpochMs | null;
}

export class Budget {
  readonly #span: BudgetSpan;
  readonly #clock: Clock;
  readonly #handOver: (how: HandOver) => void;
  /** Tasks that are under way, with the tasks that called them. */
  readonly #working = new Map<TaskRunId, TaskRunId | null>();
  readonly #parked = new Set<Parked>();
  readonly #cancelTimer: () => void;
  #hasKept = false;
  /** Whether results of earlier requests were still being restored when no task was to begin any more. */
  #restoresLate = false;
  #isOver = false;

  constructor(span: BudgetSpan, clock: Clock, handOver: (how: HandOver) => void) {
    this.#span = span;
    this.#clock = clock;
    this.#handOver = handOver;
    this.#cancelTimer = clock.after(ms(Math.max(0, span.endsAt - clock.now())), () => {
      this.#end({ dueAt: null, isStuck: !this.#hasKept && (this.#working.size > 0 || this.#restoresLate) });
    });
  }

  /** Whether what is over at this moment fits in. */
  lastsUntil(at: EpochMs): boolean {
    return at <= this.#span.closesAt;
  }

  /** Stops here when no task is to begin any more; rejects with the signal's reason when the run is handed over. */
  async boundary(caller: TaskRunId | null, signal: AbortSignal): Promise<void> {
    if (!this.lastsUntil(this.#clock.now())) await this.park(caller, null, signal);
  }

  /** Stops here until the run is handed over; there is nothing to do for the caller before `dueAt`. */
  async park(caller: TaskRunId | null, dueAt: EpochMs | null, signal: AbortSignal): Promise<never> {
    const parked: Parked = { caller, dueAt };
    this.#parked.add(parked);
    // In the next turn, so that what is called at the same time is parked as well.
    setTimeout(() => this.#handOverIfIdle(), 0);
    try {
      return await new Promise<never>((_, reject) => {
        onAbort(signal, () => reject(signal.reason));
      });
    } finally {
      this.#parked.delete(parked);
    }
  }

  restored(): void {
    if (!this.lastsUntil(this.#clock.now())) this.#restoresLate = true;
  }

  begin(id: TaskRunId, caller: TaskRunId | null): void {
    this.#working.set(id, caller);
  }

  end(id: TaskRunId, hasKept: boolean): void {
    this.#working.delete(id);
    if (hasKept) this.#hasKept = true;
    if (this.#parked.size > 0) setTimeout(() => this.#handOverIfIdle(), 0);
  }

  /** The run has ended: nothing is handed over any more. */
  close(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  /** Only those who wait for what is parked are under way: nothing comes of waiting longer. */
  #handOverIfIdle(): void {
    if (this.#parked.size === 0) return;
    const waiting = new Set<TaskRunId>();
    for (const { caller } of this.#parked) {
      for (let id = caller; id !== null; id = this.#working.get(id) ?? null) waiting.add(id);
    }
    if ([...this.#working.keys()].some((id) => !waiting.has(id))) return;
    const times = [...this.#parked].map(({ dueAt }) => dueAt);
    const dueAt = times.includes(null) ? null : (Math.min(...times.map(Number)) as EpochMs);
    this.#end({ dueAt, isStuck: false });
  }

  #end(how: HandOver): void {
    if (this.#isOver) return;
    this.close();
    this.#handOver(how);
  }
}
