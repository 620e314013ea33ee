/**
 * Counts the runs that one after another could not be started on this worker. What fails again and again is then the
 * machine and not the runs, so the worker takes nothing for a while, each time longer.
 */

/** So many in a row, and the worker pauses. */
const IN_A_ROW = 3;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

export class StartTrouble {
  readonly #firstPauseMs: number;
  #inARow = 0;
  #pauses = 0;

  constructor(firstPauseMs = FIRST_PAUSE_MS) {
    this.#firstPauseMs = firstPauseMs;
  }

  /** A run was started, whatever became of it. */
  started(): void {
    this.#inARow = 0;
    this.#pauses = 0;
  }

  /** A run could not be started. Answers for how many milliseconds the worker is to take nothing; null for not at all. */
  failed(): number | null {
    this.#inARow++;
    if (this.#inARow < IN_A_ROW) return null;
    this.#inARow = 0;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, this.#firstPauseMs * 2 ** this.#pauses);
    this.#pauses++;
    return pauseMs;
  }
}
