import { asc, desc, eq, type SQL } from "drizzle-orm";
import type { FlowRunFilters } from "#protocol/filters";
import type { Flow, FlowCreate, FlowSort } from "#protocol/flows";
import type { FlowId } from "#protocol/ids";
import { type EpochMs, toWireTime } from "#protocol/time";
import { newId } from "../../new-id.ts";
import { flowsWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { flows } from "../schema/flows.ts";

const ORDER = {
  CREATED_DESC: desc(flows.created),
  UPDATED_DESC: desc(flows.updated),
  NAME_ASC: asc(flows.name),
  NAME_DESC: desc(flows.name),
} satisfies Record<FlowSort, SQL>;

/** The flow with this name, made if it was not there. */
export async function upsertFlow(env: Env, flow: FlowCreate): Promise<{ flow: Flow; created: boolean }> {
  const db = openDb(env);
  const now = Date.now();
  const [row] = await db
    .insert(flows)
    .values({
      id: newId(),
      name: flow.name,
      tags: flow.tags ?? [],
      labels: flow.labels ?? {},
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  if (row) return { flow: toFlow(row), created: true };
  const [known] = await db.select().from(flows).where(eq(flows.name, flow.name));
  if (known) return { flow: toFlow(known), created: false };
  // Deleted between the two statements: it is made anew.
  return upsertFlow(env, flow);
}

export async function flowById(env: Env, id: FlowId): Promise<Flow | null> {
  const [row] = await openDb(env).select().from(flows).where(eq(flows.id, id));
  return row ? toFlow(row) : null;
}

export async function flowByName(env: Env, name: string): Promise<Flow | null> {
  const [row] = await openDb(env).select().from(flows).where(eq(flows.name, name));
  return row ? toFlow(row) : null;
}

export async function updateFlowTags(env: Env, id: FlowId, tags: string[] | undefined): Promise<boolean> {
  const [row] = await openDb(env)
    .update(flows)
    .set({ ...(tags ? { tags } : {}), updated: Date.now() })
    .where(eq(flows.id, id))
    .returning({ id: flows.id });
  return row !== undefined;
}

export async function listFlows(
  env: Env,
  filters: FlowRunFilters,
  page: { readonly sort: FlowSort; readonly limit: number; readonly offset: number },
): Promise<Flow[]> {
  const rows = await openDb(env)
    .select()
    .from(flows)
    .where(flowsWhere(filters))
    .orderBy(ORDER[page.sort], desc(flows.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toFlow);
}

/** Ids of flows that match, by name. */
export async function listFlowIds(env: Env, filters: FlowRunFilters, limit: number): Promise<FlowId[]> {
  return (await listFlows(env, filters, { sort: "NAME_ASC", limit, offset: 0 })).map(({ id }) => id);
}

export async function countFlows(env: Env, filters: FlowRunFilters): Promise<number> {
  return openDb(env).$count(flows, flowsWhere(filters));
}

function toFlow(row: typeof flows.$inferSelect): Flow {
  return {
    id: row.id as FlowId,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    tags: row.tags,
    labels: row.labels,
  };
}
