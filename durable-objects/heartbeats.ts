/**
 * How often the processes of runs beat, learnt from their heartbeat events. Kept in memory only: without it the usual
 * interval is assumed, and a deadline is then later than it could be.
 */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { EpochMs } from "#protocol/time";

interface Beats {
  readonly lastAt: EpochMs;
  /** Spans between the last beats, at most two of them. */
  readonly gapsMs: readonly number[];
}

export class Heartbeats {
  readonly #runs = new Map<FlowRunId, Beats>();

  /** A process said, by its own clock, that it was alive. A beat that is told again says nothing about the interval. */
  note(id: FlowRunId, at: EpochMs): void {
    const before = this.#runs.get(id);
    if (before && at <= before.lastAt) return;
    const gapsMs = before ? [...before.gapsMs, at - before.lastAt].slice(-2) : [];
    this.#runs.set(id, { lastAt: at, gapsMs });
  }

  /** The run entered another state, or another process has it: its rhythm begins anew. */
  forget(id: FlowRunId): void {
    this.#runs.delete(id);
  }

  /**
   * How long a run may be silent, in milliseconds: so many intervals, of which the longer of the last two gaps is one.
   * One gap alone may be the span between two processes of one run, so it can lengthen the term but not shorten it.
   */
  termMs(id: FlowRunId): number {
    const gapsMs = this.#runs.get(id)?.gapsMs ?? [];
    const leastMs = gapsMs.length < 2 ? SPANS.heartbeatEventMs : SPANS.heartbeatEventMinMs;
    return SPANS.missedHeartbeats * Math.max(leastMs, ...gapsMs);
  }
}
