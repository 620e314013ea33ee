/** What D1 knows of the things that events name by id. */
export interface ResourceRow {
  readonly id: string;
  readonly name: string;
  /** Tags of a flow or a deployment; the type of a pool. */
  readonly more: string | null;
}

const QUERIES = {
  flow: "SELECT id, name, tags AS more FROM flows WHERE id IN (SELECT value FROM json_each(?))",
  deployment: "SELECT id, name, tags AS more FROM deployments WHERE id IN (SELECT value FROM json_each(?))",
  pool: "SELECT id, name, type AS more FROM work_pools WHERE id IN (SELECT value FROM json_each(?))",
  taskRun: "SELECT id, name, NULL AS more FROM task_runs WHERE id IN (SELECT value FROM json_each(?))",
} as const;

export type ResourceKind = keyof typeof QUERIES;

/** Looks things up by their ids, all in one round trip. What does not exist is absent. */
export async function lookUpResources(
  db: D1Database,
  ids: ReadonlyMap<ResourceKind, ReadonlySet<string>>,
): Promise<Map<string, ResourceRow>> {
  const asked = [...ids].filter(([, wanted]) => wanted.size > 0);
  if (asked.length === 0) return new Map();
  const results = await db.batch<ResourceRow>(
    asked.map(([kind, wanted]) => db.prepare(QUERIES[kind]).bind(JSON.stringify([...wanted]))),
  );
  return new Map(results.flatMap(({ results: rows }) => rows.map((row) => [row.id, row] as const)));
}
