/** Signs of life of the processes that execute runs: what arms and moves the deadline that silence would pass. */
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { isTerminal } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import type { RecorderParts } from "./run-writer.ts";

/** Every method belongs inside a transaction, and awaits nothing (I3). */
export class SignsOfLife {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /**
   * A process without a run channel showed itself alive. The first sign arms the deadline; from then on silence ends the
   * run. One with a channel is watched by the channel. False when there is no such run.
   */
  heartbeat(id: FlowRunId, occurredAt: EpochMs): boolean {
    const { store, deadlines, heartbeats, now } = this.#parts;
    const row = store.run(id);
    if (!row) return false;
    const kind = deadlines.kindOf(id);
    this.showAlive(id);
    // A process that waits or cancels goes on beating, but only one that runs is to be watched from here on.
    if (kind === "beating" || (kind === null && row.record.state?.type === "RUNNING")) {
      heartbeats.note(id, occurredAt);
      deadlines.renew(id, "beating", now(), heartbeats.termMs(id));
    }
    return true;
  }

  /** A process opened its run channel: its run is watched from here on. Answers its last batch that is stored. */
  openSession(id: FlowRunId, session: string): number {
    const { store, deadlines, now, heartbeatMs } = this.#parts;
    const row = store.run(id);
    if (!row) return 0;
    const kind = deadlines.kindOf(id);
    if (kind === "alive") this.showAlive(id);
    else if (!isTerminal(row.record.state?.type) && (kind === null || kind === "beating" || kind === "polled")) {
      deadlines.watch(id, "alive", (now() + SPANS.missedHeartbeats * heartbeatMs) as EpochMs);
    }
    return this.#parts.reports.acked(id, session);
  }

  /**
   * A process with a run channel showed itself alive in a way that no socket remembers. It costs one row in a term at
   * most: without it, an object that lost its memory twice would take a living run for lost.
   */
  showAlive(id: FlowRunId): void {
    const { deadlines, now, heartbeatMs } = this.#parts;
    if (deadlines.kindOf(id) === "alive") {
      deadlines.renew(id, "alive", now(), SPANS.missedHeartbeats * heartbeatMs);
    }
  }
}
