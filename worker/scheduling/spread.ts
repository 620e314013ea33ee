/** Jitter: runs that are due at one moment start spread over a while, so that they do not all start at once. */
import type { EpochMs } from "#protocol/time";
import type { ScheduleToFollow } from "../db/queries/scheduling.ts";

/** When the run of a due time starts. Always the same for a due time, so that who asks twice gets one answer. */
export function startsAt({ id, policy }: Pick<ScheduleToFollow, "id" | "policy">, dueAt: EpochMs): EpochMs {
  const jitterMs = (policy?.jitter ?? 0) * 1000;
  return jitterMs === 0 ? dueAt : ((dueAt + Math.floor(fraction(`${id} ${dueAt}`) * jitterMs)) as EpochMs);
}

/** From 0 to 1, by the FNV-1a hash of a text, mixed. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
