/** `sluice task-run ls`: the latest task runs. */
import { createClient } from "../../../client/api-client.ts";
import { formatDuration } from "../../../flow/duration.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { filterTaskRuns } from "../../../protocol/task-runs.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { integer, text, withDefault } from "../../parameters.ts";
import { stateOption } from "../../state-option.ts";

export const taskRunLs = defineCommand({
  noun: "task-run",
  verb: "ls",
  summary: "List task runs, the latest first.",
  arguments: {},
  options: {
    limit: withDefault(integer("Task runs to list.", { min: 1, max: LIMITS.pageRows, short: "l" }), 15),
    flowRun: text("Only task runs of this flow run.", { placeholder: "id" }),
    state: stateOption(),
  },
  examples: ["sluice task-run ls --flow-run 019ab5c2-…", "sluice task-run ls --state failed --output json"],
  async run({ options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const tasks = await client.call(
      filterTaskRuns,
      {
        body: {
          sort: "ID_DESC",
          limit: options.limit,
          task_runs: {
            ...(options.flowRun === undefined ? {} : { flow_run_id: { any_: [options.flowRun] } }),
            ...(options.state.length === 0 ? {} : { state: { type: { any_: options.state } } }),
          },
        },
      },
      { idempotent: true },
    );
    output.list(
      tasks,
      [
        { title: "ID", value: (task) => task.id },
        { title: "NAME", value: (task) => task.name },
        { title: "STATE", value: (task) => task.state_name },
        { title: "ATTEMPTS", value: (task) => task.run_count },
        { title: "STARTED", value: (task) => wholeSeconds(task.start_time) },
        { title: "DURATION", value: (task) => formatDuration(task.estimated_run_time * 1_000) },
        { title: "FLOW RUN", value: (task) => task.flow_run_id },
      ],
      "There are no such task runs.",
    );
    return undefined;
  },
});
