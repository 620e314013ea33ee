/** `sluice key revoke`: ends the use of an API key. */
import { type ApiClient, createClient } from "../../../client/api-client.ts";
import { filterKeys, revokeKey } from "../../../protocol/access.ts";
import { notFound } from "../../../protocol/errors.ts";
import { defineCommand } from "../../command.ts";
import { isId, nameOrIdArgument } from "../../name-or-id.ts";
import { KEY_COLUMNS } from "./columns.ts";

export const keyRevoke = defineCommand({
  noun: "key",
  verb: "revoke",
  summary: "Revoke an API key: within half a minute nobody can use it.",
  arguments: { key: nameOrIdArgument("Name or id of the key.") },
  options: {},
  examples: ["sluice key revoke build-worker"],
  async run({ arguments: { key: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const id = isId(which) ? which : await idOf(client, which);
    output.item(await client.call(revokeKey, { params: { id } }), KEY_COLUMNS);
    return undefined;
  },
});

async function idOf(client: ApiClient, name: string): Promise<string> {
  const [key] = await client.call(filterKeys, { body: { keys: { name } } }, { idempotent: true });
  if (!key) throw notFound("Key", `"${name}"`, "See which there are: sluice key ls");
  return key.id;
}
