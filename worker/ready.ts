/** Whether D1 has the schema that this bundle was built for. Until then the API answers 503 and says what to do. */
import type { MiddlewareHandler } from "hono";
import { SluiceError } from "#protocol/errors";
import journal from "../migrations/meta/_journal.json";
import type { AppEnv } from "./serve.ts";

/** The newest migration of this bundle, as drizzle names it. */
export const SCHEMA: string = journal.entries.at(-1)?.tag ?? "";

let ready = false;

/** Looks until the schema is there, then never again: a schema does not go back while a Worker runs. */
export async function isReady(db: D1Database): Promise<boolean> {
  if (ready) return true;
  try {
    const row = await db
      .prepare("SELECT 1 FROM d1_migrations WHERE name IN (?, ?)")
      .bind(SCHEMA, `${SCHEMA}.sql`)
      .first();
    ready = row !== null;
  } catch (error) {
    // Only the absence of the table means "not migrated"; a fault of D1 is told as what it is.
    if (!String(error).includes("no such table")) throw error;
  }
  return ready;
}

export const checkReady: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.path.startsWith("/api/internal/") || (await isReady(c.env.DB))) return next();
  throw new SluiceError("not_ready", `The database does not have the schema ${SCHEMA} yet.`, {
    fix: "Apply the migrations: npx wrangler d1 migrations apply sluice --remote. The embedded server does it by itself.",
  });
};
