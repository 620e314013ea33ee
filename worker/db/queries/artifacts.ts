import { and, asc, desc, eq, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type {
  Artifact,
  ArtifactCollection,
  ArtifactCollectionFilter,
  ArtifactCreate,
  ArtifactFilter,
  ArtifactSort,
} from "#protocol/artifacts";
import type { FlowRunFilters } from "#protocol/filters";
import type { JsonObject } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { contains, flowRunsWhere, noneOf, oneOf, taskRunsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { artifacts } from "../schema/artifacts.ts";
import { flowRuns, taskRuns } from "../schema/flow-runs.ts";

const ORDER = {
  ID_DESC: desc(artifacts.id),
  CREATED_DESC: desc(artifacts.created),
  UPDATED_DESC: desc(artifacts.updated),
  KEY_ASC: asc(artifacts.key),
  KEY_DESC: desc(artifacts.key),
} satisfies Record<ArtifactSort, SQL>;

export async function insertArtifact(env: Env, request: ArtifactCreate): Promise<Artifact> {
  const now = Date.now();
  const row = {
    id: newId(),
    key: request.key ?? null,
    type: request.type ?? null,
    description: request.description ?? null,
    data: request.data ?? null,
    metadata: request.metadata_ ?? null,
    flowRunId: request.flow_run_id ?? null,
    taskRunId: request.task_run_id ?? null,
    created: now,
    updated: now,
  };
  await openDb(env).insert(artifacts).values(row);
  return toArtifact(row);
}

export async function artifactById(env: Env, id: string): Promise<Artifact | null> {
  const [row] = await openDb(env).select().from(artifacts).where(eq(artifacts.id, id));
  return row ? toArtifact(row) : null;
}

/** Ids are in the order of creation, so the newest of a key has the greatest. */
export async function latestArtifact(env: Env, key: string): Promise<Artifact | null> {
  const [row] = await openDb(env)
    .select()
    .from(artifacts)
    .where(eq(artifacts.key, key))
    .orderBy(desc(artifacts.id))
    .limit(1);
  return row ? toArtifact(row) : null;
}

/** Which artifacts, and those of which runs. */
interface Wanted<F> extends FlowRunFilters {
  readonly artifacts?: F;
}

export async function listArtifacts(
  env: Env,
  filters: Wanted<ArtifactFilter>,
  page: { readonly sort: ArtifactSort; readonly limit: number; readonly offset: number },
): Promise<Artifact[]> {
  const rows = await openDb(env)
    .select()
    .from(artifacts)
    .where(and(where(filters.artifacts), ofRuns(filters)))
    .orderBy(ORDER[page.sort], desc(artifacts.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toArtifact);
}

export async function countArtifacts(env: Env, filters: Wanted<ArtifactFilter>): Promise<number> {
  return openDb(env).$count(artifacts, and(where(filters.artifacts), ofRuns(filters)));
}

/** The greatest id of each key: ids are in the order of creation. */
const IS_LATEST = sql`${artifacts.key} IS NOT NULL AND ${artifacts.id} =
  (SELECT max(newer.id) FROM artifacts AS newer WHERE newer.key = ${artifacts.key})`;

export async function listLatestArtifacts(
  env: Env,
  filters: Wanted<ArtifactCollectionFilter>,
  page: { readonly sort: ArtifactSort; readonly limit: number; readonly offset: number },
): Promise<ArtifactCollection[]> {
  const rows = await openDb(env)
    .select()
    .from(artifacts)
    .where(and(IS_LATEST, where(asArtifactFilter(filters.artifacts)), ofRuns(filters)))
    .orderBy(ORDER[page.sort], desc(artifacts.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map((row) => ({ ...toArtifact(row), key: row.key ?? "", latest_id: row.id }));
}

export async function countLatestArtifacts(env: Env, filters: Wanted<ArtifactCollectionFilter>): Promise<number> {
  return openDb(env).$count(artifacts, and(IS_LATEST, where(asArtifactFilter(filters.artifacts)), ofRuns(filters)));
}

/** Artifacts of runs that match: by their flow run, and, where task runs are asked for, by their task run. */
function ofRuns({ task_runs, flows, flow_runs, deployments }: FlowRunFilters): SQL | undefined {
  // A filter that is given without any criterion asks for artifacts that have such a run at all, as upstream.
  const run =
    flowRunsWhere({ flows, flow_runs, deployments }) ?? (flows || flow_runs || deployments ? sql`1` : undefined);
  const task = taskRunsWhere({ task_runs }) ?? (task_runs ? sql`1` : undefined);
  return and(
    run && sql`${artifacts.flowRunId} IN (SELECT ${flowRuns.id} FROM ${flowRuns} WHERE ${run})`,
    task && sql`${artifacts.taskRunId} IN (SELECT ${taskRuns.id} FROM ${taskRuns} WHERE ${task})`,
  );
}

function asArtifactFilter(filter: ArtifactCollectionFilter | undefined): ArtifactFilter {
  if (!filter) return null;
  const { latest_id: id, ...rest } = filter;
  return { ...rest, id };
}

export async function changeArtifact(
  env: Env,
  id: string,
  change: {
    readonly data?: unknown;
    readonly description?: string | null | undefined;
    readonly metadata_?: JsonObject | null | undefined;
  },
): Promise<boolean> {
  const [row] = await openDb(env)
    .update(artifacts)
    .set({
      ...(change.data !== undefined ? { data: change.data } : {}),
      ...(change.description !== undefined ? { description: change.description } : {}),
      ...(change.metadata_ !== undefined ? { metadata: change.metadata_ } : {}),
      updated: Date.now(),
    })
    .where(eq(artifacts.id, id))
    .returning({ id: artifacts.id });
  return row !== undefined;
}

export async function deleteArtifact(env: Env, id: string): Promise<boolean> {
  const [row] = await openDb(env).delete(artifacts).where(eq(artifacts.id, id)).returning({ id: artifacts.id });
  return row !== undefined;
}

function where(filter: ArtifactFilter | undefined): SQL | undefined {
  if (!filter) return undefined;
  const join = filter.operator === "or_" ? or : and;
  return join(
    filter.id?.any_ ? oneOf(artifacts.id, filter.id.any_) : undefined,
    filter.key?.any_ ? oneOf(artifacts.key, filter.key.any_) : undefined,
    filter.key?.like_ ? contains(artifacts.key, filter.key.like_) : undefined,
    filter.key?.exists_ == null ? undefined : filter.key.exists_ ? isNotNull(artifacts.key) : isNull(artifacts.key),
    filter.type?.any_ ? oneOf(artifacts.type, filter.type.any_) : undefined,
    filter.type?.not_any_?.length ? noneOf(artifacts.type, filter.type.not_any_) : undefined,
    filter.flow_run_id?.any_ ? oneOf(artifacts.flowRunId, filter.flow_run_id.any_) : undefined,
    filter.task_run_id?.any_ ? oneOf(artifacts.taskRunId, filter.task_run_id.any_) : undefined,
  );
}

function toArtifact(row: typeof artifacts.$inferSelect): Artifact {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    key: row.key,
    type: row.type,
    description: row.description,
    data: row.data,
    metadata_: row.metadata,
    flow_run_id: row.flowRunId as FlowRunId | null,
    task_run_id: row.taskRunId as TaskRunId | null,
  };
}
