/** Ids of what the Worker makes. */
import { type FlowRunId, makeUuid } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

/** An id for anything but a flow run: a plain version 7 UUID. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint8Array(9));
  const shard = ((random[7] ?? 0) << 4) | ((random[8] ?? 0) >> 4);
  return makeUuid({ at: Date.now() as EpochMs, shard, windowsBack: (random[7] ?? 0) << 2, random });
}

/** An id for a flow run, in one of the shards that are handed out: it names the run's owner. */
export function newFlowRunId(env: Env): FlowRunId {
  const shards = Math.max(1, Math.min(4096, Number(env.SLUICE_SHARDS) || 1));
  const random = crypto.getRandomValues(new Uint8Array(9));
  const shard = (((random[7] ?? 0) << 8) | (random[8] ?? 0)) % shards;
  return makeUuid({ at: Date.now() as EpochMs, shard, windowsBack: 0, random }) as FlowRunId;
}
