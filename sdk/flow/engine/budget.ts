/**
 * The time that a platform gives to one request. Before it is over, the run is handed on: a task that would begin then is
 * held at its boundary, those under way may end, and another request goes on with what is left.
 */
import type { TaskRunId } from "../../protocol/ids.ts";
import { type EpochMs, ms } from "../../protocol/time.ts";
import type { Clock } from "../clock.ts";
import { onAbort } from "./on-abort.ts";

export interface BudgetSpan {
  /** When the request came. */
  readonly startsAt: EpochMs;
  /** From here on no task begins. */
  readonly closesAt: EpochMs;
  /** What is still under way is left here. */
  readonly endsAt: EpochMs;
}

export interface HandOver {
  /** When the run is to go on; null for at once. */
  readonly dueAt: EpochMs | null;
  /**
   * No result was kept, and the next request would come no further: restoring took all the time, or a task was cut off
   * that had half of it, or was cut off before.
   */
  readonly isStuck: boolean;
}

interface Work {
  readonly caller: TaskRunId | null;
  readonly beganAt: EpochMs;
  /** An earlier request began with it, and did not get to its end. */
  readonly isRepeated: boolean;
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
  readonly #working = new Map<TaskRunId, Work>();
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
      this.#end({ dueAt: null, isStuck: !this.#hasKept && (this.#restoresLate || this.#isInVain()) });
    });
  }

  /** Whether what is over at this moment fits in. */
  lastsUntil(at: EpochMs): boolean {
    return at <= this.#span.closesAt;
  }

  /**
   * Stops here when no task is to begin any more; rejects with the signal's reason when the run is handed over. One task
   * is let through however late it is, so that each request gets the run further.
   */
  async boundary(caller: TaskRunId | null, signal: AbortSignal): Promise<void> {
    if (this.lastsUntil(this.#clock.now())) return;
    if (this.#hasKept || this.#worksBeside(new Set(this.#ancestry(caller)))) await this.park(caller, null, signal);
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

  /** A task begins; `isRepeated` says that an earlier request did not get to its end. */
  begin(id: TaskRunId, caller: TaskRunId | null, isRepeated: boolean): void {
    this.#working.set(id, { caller, beganAt: this.#clock.now(), isRepeated });
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
    if (this.#worksBeside(new Set([...this.#parked].flatMap(({ caller }) => this.#ancestry(caller))))) return;
    const times = [...this.#parked].map(({ dueAt }) => dueAt);
    const dueAt = times.includes(null) ? null : (Math.min(...times.map(Number)) as EpochMs);
    this.#end({ dueAt, isStuck: false });
  }

  /** A task, and those that wait for it. */
  #ancestry(caller: TaskRunId | null): TaskRunId[] {
    const found: TaskRunId[] = [];
    for (let id = caller; id !== null; id = this.#working.get(id)?.caller ?? null) found.push(id);
    return found;
  }

  /** Whether a task under way would be cut off in the next request as well. */
  #isInVain(): boolean {
    const { startsAt, endsAt } = this.#span;
    const half = endsAt - (endsAt - startsAt) / 2;
    const callers = new Set([...this.#working.values()].map(({ caller }) => caller));
    // Whoever waits for another one gets as far as that does.
    const atWork = [...this.#working].filter(([id]) => !callers.has(id));
    return atWork.some(([, { beganAt, isRepeated }]) => isRepeated || beganAt <= half);
  }

  #worksBeside(waiting: ReadonlySet<TaskRunId>): boolean {
    return [...this.#working.keys()].some((id) => !waiting.has(id));
  }

  #end(how: HandOver): void {
    if (this.#isOver) return;
    this.close();
    this.#handOver(how);
  }
}
