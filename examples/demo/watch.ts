/** Shows a flow run while it runs, and what became of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { LogReader } from "../../sdk/cli/follow-run.ts";
import { logLine, stateLine } from "../../sdk/cli/run-lines.ts";
import { readTaskRunsOf } from "../../sdk/cli/task-runs-of.ts";
import type { ApiClient } from "../../sdk/client/index.ts";
import { formatDuration } from "../../sdk/flow/duration.ts";
import { filterArtifacts } from "../../sdk/protocol/artifacts.ts";
import { type FlowRun, readFlowRun } from "../../sdk/protocol/flow-runs.ts";
import type { FlowRunId } from "../../sdk/protocol/ids.ts";
import { isTerminal } from "../../sdk/protocol/states.ts";
import type { TaskRun } from "../../sdk/protocol/task-runs.ts";
import { heading, line, progress, table } from "./screen.ts";

const LOOK_EVERY_MS = 100;
/** The lists of task runs are copies, which follow their run with a short delay. */
const COPIES_WITHIN_MS = 10_000;

/** Follows the run to its end. `check` is called at each look and throws when there is no use in waiting. */
export async function watch(client: ApiClient, id: FlowRunId, check: () => Promise<void>): Promise<FlowRun> {
  const logs = new LogReader(client, id);
  let stateId: string | null = null;
  for (;;) {
    await check();
    const run = await client.call(readFlowRun, { params: { id } });
    const ended = isTerminal(run.state_type);
    if (!ended && run.state_id !== stateId) line(stateLine(run));
    stateId = run.state_id;
    for await (const log of logs.read()) line(logLine(log, logs.whoOf(log)));
    if (ended) {
      progress("");
      line(stateLine(run));
      return run;
    }
    progress(progressOf(run, await readTaskRunsOf(client, id)));
    await sleep(LOOK_EVERY_MS);
  }
}

function progressOf(run: FlowRun, tasks: readonly TaskRun[]): string {
  const counts = [...Map.groupBy(tasks, (task) => task.state_name ?? "none")].map(
    ([state, { length }]) => `${length} ${state}`,
  );
  const share = tasks.length === 0 ? 0 : tasks.filter((task) => isTerminal(task.state_type)).length / tasks.length;
  const filled = Math.round(share * 20);
  return `${run.state_name} [${"#".repeat(filled)}${".".repeat(20 - filled)}] ${tasks.length} task runs: ${counts.join(", ") || "none yet"}`;
}

/** The table of tasks, the artifacts, and where to look further. */
export async function summarise(client: ApiClient, run: FlowRun): Promise<void> {
  const tasks = await settledTasks(client, run.id);
  heading(`Flow run "${run.name}": ${run.state_name} after ${formatDuration(run.total_run_time * 1_000)}`);
  const groups = [...Map.groupBy(tasks, (task) => task.task_key.replace(/-[^-]*$/, ""))];
  table(
    ["task", "runs", "attempts", "state", "time in all", "longest"],
    groups.map(([name, runs]) => [
      name,
      runs.length,
      runs.reduce((sum, task) => sum + task.run_count, 0),
      [...Map.groupBy(runs, (task) => task.state_name ?? "none")]
        .map(([state, { length }]) => (length === 1 ? state : `${length} ${state}`))
        .join(", "),
      formatDuration(runs.reduce((sum, task) => sum + task.total_run_time, 0) * 1_000),
      formatDuration(Math.max(...runs.map((task) => task.total_run_time)) * 1_000),
    ]),
  );
  const retried = tasks.filter((task) => task.run_count > 1);
  for (const task of retried) line(`  ${task.name} failed ${task.run_count - 1} time(s) and was retried.`);
  const artifacts = await client.call(filterArtifacts, { body: { artifacts: { flow_run_id: { any_: [run.id] } } } });
  heading("Artifacts");
  table(
    ["key", "type", "size", "address"],
    artifacts.map((one) => [
      one.key ?? "-",
      one.type ?? "-",
      `${sizeOf(one.data)} characters`,
      `${client.url}/artifacts/${one.id}`,
    ]),
  );
  const report = artifacts.find((one) => one.type === "markdown")?.data;
  if (typeof report !== "string") return;
  heading("From the report");
  for (const text of report.split("\n").slice(0, 14)) line(`  ${text}`);
  line("  …");
}

async function settledTasks(client: ApiClient, id: FlowRunId): Promise<TaskRun[]> {
  const giveUpAt = performance.now() + COPIES_WITHIN_MS;
  for (;;) {
    const tasks = await readTaskRunsOf(client, id);
    if (tasks.every((task) => isTerminal(task.state_type)) || performance.now() > giveUpAt) return tasks;
    await sleep(LOOK_EVERY_MS);
  }
}

function sizeOf(data: unknown): number {
  return (typeof data === "string" ? data : JSON.stringify(data)).length;
}
