import { asc, desc, eq, type SQL } from "drizzle-orm";
import { type EpochMs, toWireTime } from "#protocol/time";
import type { Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate } from "#protocol/variables";
import { newId } from "../../new-id.ts";
import { variablesWhere } from "../filters.ts";
import { openDb } from "../open.ts";
import { variables } from "../schema/variables.ts";
import { violatesUnique } from "../unique.ts";

const ORDER = {
  CREATED_DESC: desc(variables.created),
  UPDATED_DESC: desc(variables.updated),
  NAME_DESC: desc(variables.name),
  NAME_ASC: asc(variables.name),
} satisfies Record<VariableSort, SQL>;

/** Which variable is meant. */
export type VariableKey = { readonly id: string } | { readonly name: string };

/** Null when the name is taken. */
export async function insertVariable(env: Env, request: VariableCreate): Promise<Variable | null> {
  const now = Date.now();
  const [row] = await openDb(env)
    .insert(variables)
    .values({
      id: newId(),
      name: request.name,
      value: request.value ?? null,
      tags: request.tags ?? [],
      created: now,
      updated: now,
    })
    .onConflictDoNothing()
    .returning();
  return row ? toVariable(row) : null;
}

export async function findVariable(env: Env, key: VariableKey): Promise<Variable | null> {
  const [row] = await openDb(env).select().from(variables).where(matches(key));
  return row ? toVariable(row) : null;
}

export async function changeVariable(
  env: Env,
  key: VariableKey,
  change: VariableUpdate,
): Promise<"changed" | "unknown" | "name taken"> {
  try {
    const [row] = await openDb(env)
      .update(variables)
      .set({
        ...(change.name != null ? { name: change.name } : {}),
        ...(change.value !== undefined ? { value: change.value } : {}),
        ...(change.tags != null ? { tags: change.tags } : {}),
        updated: Date.now(),
      })
      .where(matches(key))
      .returning({ id: variables.id });
    return row ? "changed" : "unknown";
  } catch (error) {
    if (violatesUnique(error, "variables.name")) return "name taken";
    throw error;
  }
}

export async function deleteVariable(env: Env, key: VariableKey): Promise<boolean> {
  const [row] = await openDb(env).delete(variables).where(matches(key)).returning({ id: variables.id });
  return row !== undefined;
}

export async function listVariables(
  env: Env,
  filter: VariableFilter,
  page: { readonly sort: VariableSort; readonly limit: number; readonly offset: number },
): Promise<Variable[]> {
  const rows = await openDb(env)
    .select()
    .from(variables)
    .where(variablesWhere(filter))
    .orderBy(ORDER[page.sort], desc(variables.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toVariable);
}

export async function countVariables(env: Env, filter: VariableFilter): Promise<number> {
  return openDb(env).$count(variables, variablesWhere(filter));
}

function matches(key: VariableKey): SQL {
  return "id" in key ? eq(variables.id, key.id) : eq(variables.name, key.name);
}

function toVariable(row: typeof variables.$inferSelect): Variable {
  return {
    id: row.id,
    created: toWireTime(row.created as EpochMs),
    updated: toWireTime(row.updated as EpochMs),
    name: row.name,
    value: row.value,
    tags: row.tags,
  };
}
