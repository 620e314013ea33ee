/**
 * How long a run is this process's without another sign of life, where lost runs are offered to others
 * (`sluice.on_lost`): nobody may go on with a run that somebody else begins.
 */
import { ON_LOST_LABEL } from "../protocol/flow-control.ts";
import type { FlowRun } from "../protocol/flow-runs.ts";
import { SPANS } from "../protocol/limits.ts";

/** Intervals that are left of the term for the run's code to clean up in when it is given up. */
const CLEAN_UP_HEARTBEATS = 0.5;

export interface RunTermOptions {
  /** Told at each sign of life in how many milliseconds from now the term is over without another one. */
  readonly onTerm: ((leftMs: number) => void) | undefined;
  /** Called when there is just time to clean up. */
  readonly giveUp: () => void;
}

export class RunTerm {
  readonly #options: RunTermOptions;
  /** Null for a run that ends when its process is lost: its process may go on as long as it likes. */
  #termMs: number | null = null;
  #heartbeatMs = 0;
  #shownAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RunTermOptions) {
    this.#options = options;
  }

  /** The run's owner has said what it is and how often it wants to hear of it. */
  begin(run: Pick<FlowRun, "labels">, heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
    this.#termMs = run.labels[ON_LOST_LABEL] === "retry" ? SPANS.missedHeartbeats * heartbeatMs : null;
    this.#watch();
  }

  /** The owner knows that this process lived at this moment, by `performance.now()`. */
  shown(at: number): void {
    this.#shownAt = at;
    this.#watch();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#termMs = null;
  }

  #watch(): void {
    if (this.#termMs === null) return;
    const leftMs = this.#shownAt + this.#termMs - performance.now();
    this.#options.onTerm?.(leftMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#options.giveUp, Math.max(0, leftMs - CLEAN_UP_HEARTBEATS * this.#heartbeatMs));
  }
}
