/** `sluice artifact ls`: what runs left to be looked at. */
import { createClient } from "../../../client/api-client.ts";
import { filterArtifacts, filterLatestArtifacts } from "../../../protocol/artifacts.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { flag, integer, text, withDefault } from "../../parameters.ts";

export const artifactLs = defineCommand({
  noun: "artifact",
  verb: "ls",
  summary: "List the latest artifact of each key.",
  arguments: {},
  options: {
    limit: withDefault(integer("Artifacts to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 50),
    all: flag("Every version, and those without a key.", { short: "a" }),
    key: text("Only artifacts with this key.", { placeholder: "key" }),
    flowRun: text("Only artifacts of this flow run.", { placeholder: "id" }),
  },
  examples: ["sluice artifact ls", "sluice artifact ls --key report --all"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const body = {
      artifacts: {
        ...(options.key === undefined ? {} : { key: { any_: [options.key] } }),
        ...(options.flowRun === undefined ? {} : { flow_run_id: { any_: [options.flowRun] } }),
      },
      sort: "ID_DESC" as const,
      limit: options.limit,
    };
    const how = { idempotent: true };
    const found = options.all
      ? await client.call(filterArtifacts, { body }, how)
      : await client.call(filterLatestArtifacts, { body }, how);
    output.list(
      found,
      [
        { title: "ID", value: (artifact) => artifact.id },
        { title: "KEY", value: (artifact) => artifact.key },
        { title: "TYPE", value: (artifact) => artifact.type },
        { title: "UPDATED", value: (artifact) => wholeSeconds(artifact.updated) },
        { title: "FLOW RUN", value: (artifact) => artifact.flow_run_id },
        { title: "DESCRIPTION", value: (artifact) => artifact.description },
      ],
      "There are no such artifacts.",
    );
    return undefined;
  },
});
