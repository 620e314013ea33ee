/** Puts what clocks show into the order of time, which differs from theirs where a clock is set. */
import type { EpochMs } from "#protocol/time";
import type { WallMs, Zone } from "./zone.ts";

/** The instants of ascending wall times, from `start` on, strictly ascending. */
export function* inOrder(walls: Iterable<WallMs>, zone: Zone, start: EpochMs): Generator<EpochMs, void> {
  const pending: EpochMs[] = [];
  for (const wall of walls) {
    const at = zone.instantOf(wall);
    if (at >= start) insert(pending, at);
    const settledUntil = zone.earliestAfter(wall);
    while (pending[0] !== undefined && pending[0] <= settledUntil) yield pending.shift() as EpochMs;
  }
  yield* pending;
}

/** Keeps the list ascending and without repetitions. */
function insert(sorted: EpochMs[], at: EpochMs): void {
  let index = sorted.length;
  for (let last = sorted[index - 1]; last !== undefined && last >= at; last = sorted[index - 1]) {
    if (last === at) return;
    index -= 1;
  }
  sorted.splice(index, 0, at);
}
