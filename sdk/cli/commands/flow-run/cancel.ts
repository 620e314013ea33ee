/** `sluice flow-run cancel`: asks a run to stop. */
import { createClient } from "../../../client/api-client.ts";
import { setFlowRunState } from "../../../protocol/flow-runs.ts";
import { defineCommand } from "../../command.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";
import { requireState } from "../../require-state.ts";

export const flowRunCancel = defineCommand({
  noun: "flow-run",
  verb: "cancel",
  summary: "Cancel a flow run: its process is asked to stop, and ended if it does not.",
  arguments: { id: flowRunIdArgument() },
  options: {},
  examples: ["sluice flow-run cancel 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const answer = await client.call(setFlowRunState, {
      params: { id },
      body: { state: { type: "CANCELLING", message: "Cancelled from the command line." } },
    });
    const state = requireState(answer, ["CANCELLING", "CANCELLED"], {
      refused: `Flow run ${id} was not cancelled`,
      fix: `Look at its state: sluice flow-run inspect ${id}`,
    });
    const text = state.type === "CANCELLED" ? "is cancelled" : "is being cancelled";
    output.event({ event: "state", id, state }, `Flow run ${id} ${text}.`);
    return undefined;
  },
});
