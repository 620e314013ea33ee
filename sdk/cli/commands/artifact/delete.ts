/** `sluice artifact delete`: takes one artifact away, or every version under a key. */
import type { ApiClient } from "../../../client/api-client.ts";
import { createClient } from "../../../client/api-client.ts";
import { deleteArtifact, filterArtifacts, readLatestArtifact } from "../../../protocol/artifacts.ts";
import { defineCommand } from "../../command.ts";
import { isId } from "../../name-or-id.ts";
import { required, text } from "../../parameters.ts";

export const artifactDelete = defineCommand({
  noun: "artifact",
  verb: "delete",
  summary: "Delete one artifact by its id, or every version of a key.",
  arguments: { artifact: required(text("Id of the artifact, or a key.", { placeholder: "key-or-id" })) },
  options: {},
  examples: ["sluice artifact delete report"],
  async run({ arguments: { artifact: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const ids = isId(which) ? [which] : await idsUnder(client, which);
    for (const id of ids) await client.call(deleteArtifact, { params: { id } });
    const text = isId(which) ? `Artifact ${which} was deleted.` : `Artifacts "${which}" were deleted: ${ids.length}.`;
    output.event({ event: "deleted", ids }, text);
    return undefined;
  },
});

/** Throws when there is none, as an id does. */
async function idsUnder(client: ApiClient, key: string): Promise<string[]> {
  await client.call(readLatestArtifact, { params: { key } });
  const ids: string[] = [];
  for (;;) {
    const page = await client.call(
      filterArtifacts,
      { body: { artifacts: { key: { any_: [key] } }, sort: "ID_DESC", offset: ids.length } },
      { idempotent: true },
    );
    if (page.length === 0) return ids;
    ids.push(...page.map(({ id }) => id));
  }
}
