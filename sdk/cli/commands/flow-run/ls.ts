/** `sluice flow-run ls`: the latest runs. */
import { createClient } from "../../../client/api-client.ts";
import { filterFlowRuns } from "../../../protocol/flow-runs.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { STATE_TYPES, StateType } from "../../../protocol/states.ts";
import { defineCommand } from "../../command.ts";
import { FLOW_RUN_COLUMNS } from "../../flow-run-columns.ts";
import { integer, parsed, repeated, text, withDefault } from "../../parameters.ts";

export const flowRunLs = defineCommand({
  noun: "flow-run",
  verb: "ls",
  summary: "List flow runs, the latest first.",
  arguments: {},
  options: {
    limit: withDefault(integer("Runs to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 15),
    flow: text("Only runs of this flow.", { placeholder: "name" }),
    state: repeated(parsed("Only runs in this state; may be given several times.", readState, { placeholder: "type" })),
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

function readState(given: string): StateType {
  const type = StateType.safeParse(given.toUpperCase());
  if (type.success) return type.data;
  throw new Error(`not one of ${STATE_TYPES.map((known) => known.toLowerCase()).join(", ")}`);
}
