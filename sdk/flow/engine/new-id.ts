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

function newId(at: EpochMs, owner: FlowRunId | null): string {
  const ownerAt = owner === null ? null : timeOfUuid(owner);
  const shard = owner === null || ownerAt === null ? 0 : Number.parseInt(owner.slice(15, 18), 16);
  const windowsBack = ownerAt === null ? 0 : Math.max(0, windowOf(at) - windowOf(ownerAt));
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
