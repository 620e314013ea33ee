import type { z } from "zod";
import type { StateCreate } from "#protocol/states";

/** The state that an action of the UI asks for. */
export function stateProposal(action: "cancel" | "suspend"): z.input<typeof StateCreate> {
  if (action === "cancel") return { type: "CANCELLING", message: "Cancelled in the UI." };
  return {
    type: "PAUSED",
    name: "Suspended",
    message: "Suspended in the UI.",
    state_details: { pause_reschedule: true },
  };
}
