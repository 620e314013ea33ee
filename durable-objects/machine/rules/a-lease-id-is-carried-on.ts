import type { RunRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** Keeps the id of the deployment's concurrency lease: clients propose states with an explicit null. */
export const aLeaseIdIsCarriedOn: RunRule = {
  name: "a-lease-id-is-carried-on",
  from: "any",
  to: "any",
  decide: ({ from, to }) => {
    const held = from?.state_details.deployment_concurrency_lease_id ?? null;
    if (held === null || to.state_details.deployment_concurrency_lease_id !== null) return PASS;
    const state_details = { ...to.state_details, deployment_concurrency_lease_id: held };
    return { kind: "amend", to: { ...to, state_details } };
  },
};
