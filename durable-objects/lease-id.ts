/**
 * Ids of leases. A lease that spans several limits is kept whole at one of them, its home: the limit with the least id.
 *
 * The last twelve digits of a lease's id are those of its home limit's id, and they are the name of a limit's object: a
 * renewal finds its way without a look-up, and no table of leases is written anywhere else.
 */
import { makeUuid } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

/** The end of the id of a lease on nothing. */
const NOWHERE = "000000000000";

/** The name of the object of a limit, or of the home of a lease, by the id of either. */
export function limitObjectName(id: string): string {
  return id.slice(-NOWHERE.length);
}

/** Whether a lease is on no limit at all: it need not be renewed or released. */
export function isOnNothing(leaseId: string): boolean {
  return limitObjectName(leaseId) === NOWHERE;
}

/** An id for a lease whose home is the given limit; null for a lease on nothing. */
export function newLeaseId(homeLimitId: string | null, now: EpochMs): string {
  const tail = homeLimitId === null ? NOWHERE : limitObjectName(homeLimitId);
  const drawn = crypto.getRandomValues(new Uint16Array(3));
  const random = new Uint8Array(7);
  random[0] = drawn[0] ?? 0;
  for (let index = 0; index < 6; index++) random[index + 1] = Number.parseInt(tail.slice(index * 2, index * 2 + 2), 16);
  return makeUuid({ at: now, shard: (drawn[1] ?? 0) & 0xfff, windowsBack: (drawn[2] ?? 0) & 0x3ff, random });
}
