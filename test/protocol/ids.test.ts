import fc from "fast-check";
import { describe, it } from "vitest";
import { MAX_SHARDS, makeUuid, PARTITION_WINDOW_MS, partitionOf, timeOfUuid, windowOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

const instant = fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 }).map((at) => at as EpochMs);
const shard = fc.integer({ min: 0, max: MAX_SHARDS - 1 });
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("an id that is made here", () => {
  it("is a UUID of version 7 that carries its time", ({ expect }) => {
    fc.assert(
      fc.property(instant, shard, random, (at, number, bytes) => {
        const id = makeUuid({ at, shard: number, windowsBack: 0, random: bytes });
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(timeOfUuid(id)).toBe(at);
      }),
    );
  });

  // Failed with windowsBack written one bit too far left: makeUuid(…, windowsBack: 512).
  it("leads to the partition of its run, however much later it is made", ({ expect }) => {
    fc.assert(
      fc.property(instant, shard, random, fc.integer({ min: 0, max: 1023 }), (at, number, bytes, back) => {
        const run = makeUuid({ at, shard: number, windowsBack: 0, random: bytes });
        const later = (at + back * PARTITION_WINDOW_MS) as EpochMs;
        const state = makeUuid({
          at: later,
          shard: number,
          windowsBack: windowOf(later) - windowOf(at),
          random: bytes,
        });
        expect(partitionOf(state)).toBe(partitionOf(run));
      }),
    );
  });

  it("sorts by its time", ({ expect }) => {
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 1_000_000 }), shard, shard, random, (at, gap, a, b, bytes) => {
        const early = makeUuid({ at, shard: a, windowsBack: 0, random: bytes });
        const late = makeUuid({ at: (at + gap) as EpochMs, shard: b, windowsBack: 0, random: bytes });
        expect(early < late).toBe(true);
      }),
    );
  });

  it("has no partition when it is of another version", ({ expect }) => {
    expect(partitionOf("0193a000-0000-4000-8000-000000000001")).toBeNull();
  });
});
