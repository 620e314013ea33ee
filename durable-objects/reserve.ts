/**
 * The seam between decisions and limits. A decision may not wait, so the shell asks for slots first and hands the
 * answer to the machine as a fact; what was reserved and not used is given back by the `release` effect.
 */
import type { Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";

/** One limit that a transition needs slots of. */
export interface SlotDemand {
  readonly limit: string;
  readonly slots: number;
}

/**
 * Reserves every demanded slot for a run, or none.
 *
 * A transition that demands nothing is granted at once, without a call. No limit is enforced by this seam yet: the
 * limits of pools and workers are held by the pool's object itself, at the claim.
 */
export async function reserve(_run: FlowRunId, demands: readonly SlotDemand[]): Promise<Reservation> {
  if (demands.length === 0) return NOTHING_DEMANDED;
  return { kind: "full", limit: demands.map((demand) => demand.limit).join(", "), heldBy: [] };
}

/** The answer to a transition that needs no slots. */
export const NOTHING_DEMANDED: Reservation = { kind: "granted", leaseIds: [] };
