/**
 * The seam between decisions and limits. A decision may not wait, so the shell asks for slots first and hands the
 * answer to the machine as a fact; what was reserved and not used is given back by the `release` effect.
 */
import type { Reservation } from "#machine/rule";
import type { FlowRunId } from "#protocol/ids";
import type { StateCreate } from "#protocol/states";

/** The answer to a transition that needs no slots. */
export const NOTHING_DEMANDED: Reservation = { kind: "granted", leaseIds: [] };

/**
 * Reserves every slot that a proposed state needs, or none. Answers what the machine is told.
 *
 * No limit stands behind this seam yet, so everything is granted without a call: pools and workers have their slots
 * counted by the pool's own object, at the claim.
 */
export async function reserve(_run: FlowRunId, _proposed: StateCreate): Promise<Reservation> {
  return NOTHING_DEMANDED;
}
