/** `sluice flow-run inspect`: one run with its task runs. */
import { createClient } from "../../../client/api-client.ts";
import { formatDuration } from "../../../flow/duration.ts";
import { type FlowRun, readFlowRun } from "../../../protocol/flow-runs.ts";
import type { TaskRun } from "../../../protocol/task-runs.ts";
import { readWhy } from "../../../protocol/why.ts";
import { defineCommand } from "../../command.ts";
import { flowRunIdArgument, wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { readTaskRunsOf } from "../../task-runs-of.ts";

const FIELDS: readonly Column<FlowRun>[] = [
  { title: "ID", value: (run) => run.id },
  { title: "Name", value: (run) => run.name },
  { title: "State", value: (run) => run.state_name },
  { title: "Message", value: (run) => run.state?.message },
  { title: "Parameters", value: (run) => JSON.stringify(run.parameters) },
  { title: "Deployment", value: (run) => run.deployment_id },
  { title: "Work pool", value: (run) => run.work_pool_name },
  { title: "Created", value: (run) => wholeSeconds(run.created) },
  { title: "Expected", value: (run) => wholeSeconds(run.expected_start_time) },
  { title: "Started", value: (run) => wholeSeconds(run.start_time) },
  { title: "Ended", value: (run) => wholeSeconds(run.end_time) },
  { title: "Duration", value: (run) => formatDuration(run.estimated_run_time * 1_000) },
  { title: "Runs", value: (run) => run.run_count },
  { title: "Tags", value: (run) => run.tags.join(", ") },
];

const TASK_COLUMNS: readonly Column<TaskRun>[] = [
  { title: "TASK RUN", value: (task) => task.name },
  { title: "STATE", value: (task) => task.state_name },
  { title: "ATTEMPTS", value: (task) => task.run_count },
  { title: "DURATION", value: (task) => formatDuration(task.estimated_run_time * 1_000) },
];

export const flowRunInspect = defineCommand({
  noun: "flow-run",
  verb: "inspect",
  summary: "Show one flow run with its task runs.",
  arguments: { id: flowRunIdArgument() },
  options: {},
  examples: ["sluice flow-run inspect 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const run = await client.call(readFlowRun, { params: { id } });
    const tasks = await readTaskRunsOf(client, id);
    const isWaiting = ["SCHEDULED", "PENDING", "PAUSED"].includes(run.state_type ?? "SCHEDULED");
    const reasons = isWaiting ? (await client.call(readWhy, { params: { id } })).reasons : [];
    if (output.format === "json") {
      output.item({ ...run, task_runs: tasks, why: reasons }, []);
      return undefined;
    }
    output.item(run, FIELDS);
    if (reasons.length > 0) output.note("\nWhy it is not running:");
    for (const { message } of reasons) output.note(`  ${message}`);
    output.note("");
    output.list(tasks, TASK_COLUMNS, "It has no task runs.");
    return undefined;
  },
});
