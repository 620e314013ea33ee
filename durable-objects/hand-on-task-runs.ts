/** Hands on what events tell of task runs, to the objects that own them. */
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { TaskReport } from "#protocol/run-channel";
import { ownerOf } from "./partition.ts";
import { flowRunsOfTasks } from "./storage/flow-run-copy.ts";
import type { TaskRunNews } from "./task-run-event.ts";
import { taskPartition, taskPartitionOf } from "./task-run-owner.ts";

/** Answers when every owner has stored what it was told. Owners take a report twice without harm. */
export async function handOnTaskRuns(env: Env, news: readonly TaskRunNews[]): Promise<void> {
  const byRun = new Map<FlowRunId, TaskReport[]>();
  const byPartition = new Map<string, TaskReport[]>();
  const homeless = news.filter(({ flowRunId }) => flowRunId === null).map(({ report }) => report.id);
  // A task worker tells of a background task without the flow run that asked for it.
  const parents = homeless.length > 0 ? await flowRunsOfTasks(env.DB, homeless) : new Map<TaskRunId, FlowRunId>();
  for (const { flowRunId, report } of news) {
    const parent = flowRunId ?? parents.get(report.id);
    if (parent) append(byRun, parent, report);
    else append(byPartition, taskPartitionOf(report.id), report);
  }
  await Promise.all([
    ...[...byRun].map(async ([id, reports]) => {
      const isKnown = (await ownerOf(env.FLOW_RUNS, id)?.recordTasks(id, reports)) ?? false;
      if (!isKnown) console.warn(`Events of task runs of flow run ${id} were dropped: there is no such run.`);
    }),
    ...[...byPartition].map(([name, reports]) => taskPartition(env, name).record(reports)),
  ]);
}

function append<K>(groups: Map<K, TaskReport[]>, key: K, report: TaskReport): void {
  const group = groups.get(key);
  if (group) group.push(report);
  else groups.set(key, [report]);
}
