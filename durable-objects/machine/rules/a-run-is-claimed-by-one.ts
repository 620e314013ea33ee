import { defaultStateName } from "#protocol/states";
import type { RunRule } from "../rule.ts";

/**
 * PENDING is the claim: whoever proposes it second is told to stop, which keeps two workers off one run.
 *
 * The holder may rename its claim (`Submitting`, `InfrastructurePending`); the scheduled time and the concurrency lease
 * stay with it.
 */
export const aRunIsClaimedByOne: RunRule = {
  name: "a-run-is-claimed-by-one",
  from: ["PENDING", "RUNNING", "CANCELLING", "CANCELLED"],
  to: ["PENDING"],
  decide: ({ from, to }) => {
    const plain = defaultStateName("PENDING");
    const name = to.name || plain;
    if (from?.type !== "PENDING" || name === plain || name === from.name) {
      const current = from?.type ?? "unknown";
      return { kind: "abort", because: `This run is in a ${current} state and cannot transition to a PENDING state.` };
    }
    const { scheduled_time, deployment_concurrency_lease_id } = from.state_details;
    const state_details = {
      ...to.state_details,
      scheduled_time: to.state_details.scheduled_time ?? scheduled_time,
      deployment_concurrency_lease_id:
        to.state_details.deployment_concurrency_lease_id ?? deployment_concurrency_lease_id,
    };
    return { kind: "amend", to: { ...to, state_details } };
  },
};
