/**
 * Where log lines live: with their flow run; and those of task runs outside flows, or of runs that nobody here knows, in
 * the partition that the id names. Clients send the lines of a task before anybody has heard of it.
 */
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { Log, LogCreate } from "#protocol/logs";
import type { LogQuery } from "../durable-objects/flow-run-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";
import { flowRunsOfTasks } from "../durable-objects/storage/flow-run-copy.ts";
import { ownerOfTask } from "../durable-objects/task-run-owner.ts";

/** What lines are kept under: the id of a flow run, or that of a task run outside flows. */
export type LogSubject = { readonly flowRun: FlowRunId } | { readonly task: TaskRunId };

/** Stores lines, each where its run is. A line that names no run at all is nobody's, and is dropped as upstream's are. */
export async function storeLogs(env: Env, lines: readonly LogCreate[]): Promise<void> {
  const orphans = lines.flatMap((line) => (line.flow_run_id === null && line.task_run_id ? [line.task_run_id] : []));
  const parents = await flowRunsOf(env, orphans);
  const ofRuns = new Map<FlowRunId, LogCreate[]>();
  const ofTasks = new Map<TaskRunId, LogCreate[]>();
  for (const line of lines) {
    const run = line.flow_run_id ?? (line.task_run_id && parents.get(line.task_run_id));
    if (run) add(ofRuns, run, line);
    else if (line.task_run_id) add(ofTasks, line.task_run_id, line);
  }
  await Promise.all([
    ...[...ofRuns].map(async ([id, group]) => {
      const isKept = (await ownerOf(env.FLOW_RUNS, id)?.appendLogs(id, group)) ?? false;
      if (!isKept) await loose(env, id).appendLogs(id, group);
    }),
    ...[...ofTasks].map(([id, group]) => loose(env, id).appendLogs(id, group)),
  ]);
}

/** The subjects under which lines of these task runs are kept. */
export async function subjectsOfTasks(env: Env, ids: readonly TaskRunId[]): Promise<LogSubject[]> {
  const parents = await flowRunsOf(env, ids);
  return [
    ...[...new Set(parents.values())].map((flowRun) => ({ flowRun })),
    ...ids.filter((id) => !parents.has(id)).map((task) => ({ task })),
  ];
}

export async function readLogs(env: Env, subject: LogSubject, query: LogQuery): Promise<Log[]> {
  if ("task" in subject) return loose(env, subject.task).logs(subject.task, query);
  const id = subject.flowRun;
  const known = await ownerOf(env.FLOW_RUNS, id)?.logs(id, query);
  return known?.length ? known : loose(env, id).logs(id, query);
}

async function flowRunsOf(env: Env, tasks: readonly TaskRunId[]): Promise<Map<TaskRunId, FlowRunId>> {
  if (tasks.length === 0) return new Map();
  const found = await flowRunsOfTasks(env.DB, [...new Set(tasks)]);
  // A task run outside a flow is listed without one.
  return new Map([...found].filter(([, run]) => run));
}

function loose(env: Env, id: string) {
  return ownerOfTask(env, id as TaskRunId);
}

function add<K>(groups: Map<K, LogCreate[]>, key: K, line: LogCreate): void {
  const group = groups.get(key);
  if (group) group.push(line);
  else groups.set(key, [line]);
}
