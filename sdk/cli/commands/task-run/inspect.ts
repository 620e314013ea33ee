/** `sluice task-run inspect`: one task run with the states it went through. */
import { createClient } from "../../../client/api-client.ts";
import { formatDuration } from "../../../flow/duration.ts";
import { TaskRunId } from "../../../protocol/ids.ts";
import type { State } from "../../../protocol/states.ts";
import { readTaskRun, readTaskRunStates, type TaskRun } from "../../../protocol/task-runs.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { idArgument } from "../../name-or-id.ts";
import type { Column } from "../../output.ts";

const FIELDS: readonly Column<TaskRun>[] = [
  { title: "ID", value: (task) => task.id },
  { title: "Name", value: (task) => task.name },
  { title: "Flow run", value: (task) => task.flow_run_id },
  { title: "State", value: (task) => task.state_name },
  { title: "Message", value: (task) => task.state?.message },
  { title: "Attempts", value: (task) => task.run_count },
  { title: "Started", value: (task) => wholeSeconds(task.start_time) },
  { title: "Ended", value: (task) => wholeSeconds(task.end_time) },
  { title: "Duration", value: (task) => formatDuration(task.estimated_run_time * 1_000) },
  { title: "Cache key", value: (task) => task.cache_key },
  { title: "Tags", value: (task) => task.tags.join(", ") },
];

const STATE_COLUMNS: readonly Column<State>[] = [
  { title: "AT", value: (state) => state.timestamp },
  { title: "STATE", value: (state) => state.name },
  { title: "MESSAGE", value: (state) => state.message },
];

export const taskRunInspect = defineCommand({
  noun: "task-run",
  verb: "inspect",
  summary: "Show one task run with the states it went through.",
  arguments: { id: idArgument("task run", "sluice task-run ls") },
  options: {},
  examples: ["sluice task-run inspect 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const taskRunId = TaskRunId.parse(id);
    const task = await client.call(readTaskRun, { params: { id: taskRunId } });
    const states = await client.call(readTaskRunStates, { query: { task_run_id: taskRunId } });
    if (output.format === "json") {
      output.item({ ...task, states }, []);
      return undefined;
    }
    output.item(task, FIELDS);
    output.note("");
    output.list(states, STATE_COLUMNS, "It has no states.");
    return undefined;
  },
});
