/** `sluice artifact inspect`: one artifact with its data. */
import { createClient } from "../../../client/api-client.ts";
import { type Artifact, readArtifact, readLatestArtifact } from "../../../protocol/artifacts.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { isId } from "../../name-or-id.ts";
import type { Column } from "../../output.ts";
import { required, text } from "../../parameters.ts";
import { printable } from "../../run-lines.ts";

const FIELDS: readonly Column<Artifact>[] = [
  { title: "ID", value: (artifact) => artifact.id },
  { title: "Key", value: (artifact) => artifact.key },
  { title: "Type", value: (artifact) => artifact.type },
  { title: "Description", value: (artifact) => artifact.description },
  { title: "Flow run", value: (artifact) => artifact.flow_run_id },
  { title: "Task run", value: (artifact) => artifact.task_run_id },
  { title: "Created", value: (artifact) => wholeSeconds(artifact.created) },
  { title: "Updated", value: (artifact) => wholeSeconds(artifact.updated) },
];

export const artifactInspect = defineCommand({
  noun: "artifact",
  verb: "inspect",
  summary: "Show one artifact: the latest of a key, or one by its id.",
  arguments: { artifact: required(text("Key or id of the artifact.", { placeholder: "key-or-id" })) },
  options: {},
  examples: ["sluice artifact inspect report", "sluice artifact inspect report --output json"],
  async run({ arguments: { artifact: which }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const artifact = isId(which)
      ? await client.call(readArtifact, { params: { id: which } })
      : await client.call(readLatestArtifact, { params: { key: which } });
    output.item(artifact, FIELDS);
    if (output.format === "json") return undefined;
    const { data } = artifact;
    output.note(`\n${printable(typeof data === "string" ? data : JSON.stringify(data, null, 2))}`);
    return undefined;
  },
});
