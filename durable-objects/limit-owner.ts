/** Finds the object of a limit. */
import type { ConcurrencyLimitOwner } from "./concurrency-limit-owner.ts";
import { limitObjectName } from "./lease-id.ts";

/** The object of a limit, or of a lease's home, by the id of either. */
export function limitOwner(namespace: Env["CONCURRENCY_LIMITS"], id: string): ConcurrencyLimitOwner {
  return namespace.getByName(limitObjectName(id)) as unknown as ConcurrencyLimitOwner;
}
