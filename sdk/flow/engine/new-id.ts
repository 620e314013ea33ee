/** Ids that this process makes. Those of a run's task runs and states carry the partition of their flow run. */
import {
  type FlowRunId,
  makeUuid,
  type StateId,
  type TaskRunId,
  timeOfUuid,
  type Uuid,
  windowOf,
} from "../../protocol/ids.ts";
import type { EpochMs } from "../../protocol/time.ts";

const RANDOM_BYTES = 10;
const POOL_BYTES = 400 * RANDOM_BYTES;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** Random bytes, fetched in bulk: one call of the system for some hundred ids. */
function randomBytes(): Uint8Array {
  if (used + RANDOM_BYTES > POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return pool.subarray(used - RANDOM_BYTES, used);
}

/** Where the run's own id puts it. */
interface Partition {
  readonly owner: FlowRunId | null;
  readonly shard: number;
  readonly window: number | null;
}

/** Of the last run that was asked for: a busy process makes thousands of ids for one. */
let lastPartition: Partition = { owner: null, shard: 0, window: null };

function partitionOf(owner: FlowRunId | null): Partition {
  if (owner === lastPartition.owner) return lastPartition;
  const ownerAt = owner === null ? null : timeOfUuid(owner);
  lastPartition = {
    owner,
    shard: owner === null || ownerAt === null ? 0 : Number.parseInt(owner.slice(15, 18), 16),
    window: ownerAt === null ? null : windowOf(ownerAt),
  };
  return lastPartition;
}

function newId(at: EpochMs, owner: FlowRunId | null): string {
  const { shard, window } = partitionOf(owner);
  const windowsBack = window === null ? 0 : Math.max(0, windowOf(at) - window);
  return makeUuid({ at, shard, windowsBack, random: randomBytes() });
}

/** The id of a flow run without a server. */
export function newFlowRunId(at: EpochMs): FlowRunId {
  return newId(at, null) as FlowRunId;
}

export function newTaskRunId(at: EpochMs, flowRunId: FlowRunId | null): TaskRunId {
  return newId(at, flowRunId) as TaskRunId;
}

export function newStateId(at: EpochMs, flowRunId: FlowRunId | null): StateId {
  return newId(at, flowRunId) as StateId;
}

/** An id of anything else: transitions, idempotency keys. */
export function newUuid(at: EpochMs): Uuid {
  return newId(at, null) as Uuid;
}
