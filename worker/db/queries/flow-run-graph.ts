/** What the graph of a flow run shows besides its own task runs. */
import { and, asc, eq, isNull, ne, or, sql } from "drizzle-orm";
import type { FlowRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { GraphChild, GraphParts } from "../../flow-run-graph.ts";
import { openDb } from "../open.ts";
import { artifacts } from "../schema/artifacts.ts";
import { flowRuns, taskRuns } from "../schema/flow-runs.ts";
import { flows } from "../schema/flows.ts";

/** Artifacts that a graph shows at most; upstream's `max_artifacts`. */
const ARTIFACTS_MAX = 10_000;

/** The runs that task runs of this run stand for. */
export async function graphChildren(env: Env, id: FlowRunId): Promise<GraphChild[]> {
  const rows = await openDb(env)
    .select({ doc: flowRuns.doc, flowName: flows.name })
    .from(flowRuns)
    .leftJoin(flows, eq(flows.id, flowRuns.flowId))
    .where(
      sql`${flowRuns.parentTaskRunId} IN (SELECT ${taskRuns.id} FROM ${taskRuns} WHERE ${eq(taskRuns.flowRunId, id)})`,
    );
  return rows.map(({ doc, flowName }) => ({
    id: doc.id,
    taskRunId: doc.parent_task_run_id ?? "",
    flowName: flowName ?? "",
    name: doc.name,
    stateType: doc.state_type,
    startTime: doc.start_time ?? doc.expected_start_time,
    endTime: doc.end_time,
  }));
}

/** The artifacts of a run and its task runs, oldest first, without stored results. */
export async function graphArtifacts(env: Env, id: FlowRunId): Promise<GraphParts["artifacts"]> {
  const isNewest = sql<number>`(${artifacts.key} IS NULL OR ${artifacts.id} =
    (SELECT max(newer.id) FROM artifacts AS newer WHERE newer.key = ${artifacts.key}))`;
  const rows = await openDb(env)
    .select({
      id: artifacts.id,
      created: artifacts.created,
      key: artifacts.key,
      type: artifacts.type,
      data: sql<string | null>`CASE ${artifacts.type} WHEN 'progress' THEN ${artifacts.data} END`,
      taskRunId: artifacts.taskRunId,
      isNewest,
    })
    .from(artifacts)
    .where(and(eq(artifacts.flowRunId, id), or(isNull(artifacts.type), ne(artifacts.type, "result"))))
    .orderBy(asc(artifacts.id))
    .limit(ARTIFACTS_MAX);
  return rows.map((row) => ({
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    key: row.key,
    type: row.type,
    is_latest: row.isNewest === 1,
    data: row.data === null ? null : JSON.parse(row.data),
    taskRunId: row.taskRunId,
  }));
}
