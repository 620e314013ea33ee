/**
 * Which object owns what. A partition is one object, named `<window>-<shard>`, which hosts every flow run whose id was
 * made in that week with that shard number (DESIGN §3; docs/decisions/0002-partitions.md).
 */
import { type FlowRunId, makeUuid, partitionOf, type StateId, timeOfUuid, windowOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { FlowRunOwner } from "./flow-run-owner.ts";

/** The stub of an owner, by what it answers; the platform's own stub type cannot express results that hold free JSON. */
export type FlowRunOwnerStub = FlowRunOwner & { fetch(request: Request): Promise<Response> };

/** The object that owns a flow run, a state or a log line, by the id alone; null for an id that was not made here. */
export function ownerOf(namespace: Env["FLOW_RUNS"], id: string): FlowRunOwnerStub | null {
  const name = partitionOf(id);
  return name === null ? null : (namespace.getByName(name) as unknown as FlowRunOwnerStub);
}

/** Makes ids that lead back to this partition, however late they are made. */
export class PartitionIds {
  readonly #window: number;
  readonly #shard: number;

  /** `name` is the object's name; an object that was reached by an id without a name cannot own runs. */
  constructor(name: string) {
    const [window, shard] = name.split("-").map(Number);
    if (window === undefined || shard === undefined || !Number.isInteger(window) || !Number.isInteger(shard)) {
      throw new RangeError(`Not the name of a partition: ${name}`);
    }
    this.#window = window;
    this.#shard = shard;
  }

  state(now: EpochMs): StateId {
    return this.#make(now, crypto.getRandomValues(new Uint8Array(7))) as StateId;
  }

  /**
   * The id of the `index`-th thing that arrived under number `seq`, a line of a chunk of log for example. It is computed, not stored: chunk numbers are unique
   * in the object, and 36 bits of them with 16 bits of index fill what a version 7 id leaves free.
   */
  numbered(arrivedAt: EpochMs, seq: number, index: number): string {
    const bytes = new Uint8Array(7);
    bytes[0] = Math.floor(seq / 2 ** 32) & 0x0f;
    new DataView(bytes.buffer).setUint32(1, seq % 2 ** 32);
    new DataView(bytes.buffer).setUint16(5, index);
    return this.#make(arrivedAt, bytes);
  }

  /** Whether a run with this id lives here. */
  owns(id: FlowRunId): boolean {
    return timeOfUuid(id) !== null && partitionOf(id) === `${this.#window}-${this.#shard}`;
  }

  #make(at: EpochMs, random: Uint8Array): string {
    return makeUuid({ at, shard: this.#shard, windowsBack: Math.max(0, windowOf(at) - this.#window), random });
  }
}
