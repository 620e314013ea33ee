/** `sluice flow-run ls`: the latest runs. */
import { createClient } from "../../../client/api-client.ts";
import { filterFlowRuns } from "../../../protocol/flow-runs.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { defineCommand } from "../../command.ts";
import { FLOW_RUN_COLUMNS } from "../../flow-run-columns.ts";
import { integer, text, withDefault } from "../../parameters.ts";
import { stateOption } from "../../state-option.ts";

export const flowRunLs = defineCommand({
  noun: "flow-run",
  verb: "ls",
  summary: "List flow runs, the latest first.",
  arguments: {},
  options: {
    limit: withDefault(integer("Runs to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 15),
    flow: text("Only runs of this flow.", { placeholder: "name" }),
    state: stateOption(),
  },
  examples: ["sluice flow-run ls", "sluice flow-run ls --state failed --state crashed --output json"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const runs = await client.call(
      filterFlowRuns,
      {
        body: {
          sort: "ID_DESC",
          limit: options.limit,
          ...(options.flow === undefined ? {} : { flows: { name: { any_: [options.flow] } } }),
          ...(options.state.length === 0 ? {} : { flow_runs: { state: { type: { any_: options.state } } } }),
        },
      },
      { idempotent: true },
    );
    output.list(
      runs,
      FLOW_RUN_COLUMNS,
      "There are no such runs. Start one with: sluice deployment run <flow/deployment>",
    );
    return undefined;
  },
});
