import type { Policy } from "../rule.ts";
import { aLeaseIdIsCarriedOn } from "../rules/a-lease-id-is-carried-on.ts";
import { aLostRunIsOfferedAgain } from "../rules/a-lost-run-is-offered-again.ts";
import { aRescheduledRunIsOfferedAgain } from "../rules/a-rescheduled-run-is-offered-again.ts";
import { onlyAnUnconfirmedClaimIsGivenBack } from "../rules/only-an-unconfirmed-claim-is-given-back.ts";

/** What holds when the control plane itself ends a claim: a lease was not confirmed, or heartbeats stopped. */
export const CLAIM_POLICY: Policy = {
  name: "claim",
  rules: [
    onlyAnUnconfirmedClaimIsGivenBack,
    aLeaseIdIsCarriedOn,
    aRescheduledRunIsOfferedAgain,
    aLostRunIsOfferedAgain,
  ],
};
