/** `sluice flow-run delete`: takes a run away with all that belongs to it. */
import { createClient } from "../../../client/api-client.ts";
import { deleteFlowRun } from "../../../protocol/flow-runs.ts";
import { defineCommand } from "../../command.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";

export const flowRunDelete = defineCommand({
  noun: "flow-run",
  verb: "delete",
  summary: "Delete a flow run with its task runs, logs and artifacts.",
  arguments: { id: flowRunIdArgument() },
  options: {},
  examples: ["sluice flow-run delete 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(deleteFlowRun, { params: { id } });
    output.event({ event: "deleted", id }, `Flow run ${id} was deleted.`);
    return undefined;
  },
});
