/** `sluice flow delete`: takes a flow and its deployments away. */
import { createClient } from "../../../client/api-client.ts";
import { deleteFlow } from "../../../protocol/flows.ts";
import { defineCommand } from "../../command.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";
import { flowNamed } from "./named.ts";

export const flowDelete = defineCommand({
  noun: "flow",
  verb: "delete",
  summary: "Delete a flow with its deployments and all its runs.",
  arguments: { flow: nameOrIdArgument("Name or id of the flow.") },
  options: {},
  examples: ["sluice flow delete daily-etl"],
  async run({ arguments: { flow: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id, name } = await flowNamed(client, which);
    await client.call(deleteFlow, { params: { id } });
    output.event({ event: "deleted", id, name }, `Flow "${name}" was deleted.`);
    return undefined;
  },
});
