/** For the embedded server's launcher only: D1 cannot be migrated from outside there. Absent without the boot token. */
import type { Context } from "hono";
import { z } from "zod";
import { SluiceError } from "#protocol/errors";
import { LAUNCHER } from "../../durable-objects/egress-object.ts";
import { sameSecret } from "../../durable-objects/same-secret.ts";
import { presentedKey } from "../guard.ts";
import type { App, AppEnv } from "../serve.ts";

const Migrations = z.object({
  migrations: z.array(z.object({ name: z.string().min(1), statements: z.array(z.string().min(1)).min(1) })),
});

export function internalRoutes(app: App): void {
  app.get("/api/internal/egress", async (c) => {
    await requireBootToken(c);
    return c.env.EGRESS.getByName(LAUNCHER).fetch(c.req.raw);
  });
  app.post("/api/internal/migrate", async (c) => {
    await requireBootToken(c);
    const parsed = Migrations.safeParse(await c.req.json().catch(() => null));
    if (!parsed.success) {
      throw new SluiceError("validation", "The migrations are not in the expected form.", {
        fix: "This route is called by the embedded server only.",
      });
    }
    return c.json({ applied: await applyMigrations(c.env.DB, parsed.data.migrations) });
  });
}

async function requireBootToken(c: Context<AppEnv>): Promise<void> {
  const token = c.env.SLUICE_BOOT_TOKEN;
  if (token && (await sameSecret(presentedKey(c.req.header("authorization")), token))) return;
  throw new SluiceError("not_found", `There is no ${c.req.method} ${c.req.path}.`, { fix: "See /api/openapi.json." });
}

/** Applies what is not recorded yet, each migration with its record in one transaction. The table is wrangler's. */
async function applyMigrations(
  db: D1Database,
  migrations: z.infer<typeof Migrations>["migrations"],
): Promise<string[]> {
  await db
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const known = new Set(results.map((row) => row.name.replace(/\.sql$/, "")));
  const applied: string[] = [];
  for (const migration of migrations) {
    const name = migration.name.replace(/\.sql$/, "");
    if (known.has(name)) continue;
    try {
      await db.batch([
        ...migration.statements.map((statement) => db.prepare(statement)),
        db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(`${name}.sql`),
      ]);
    } catch (error) {
      throw new SluiceError("conflict", `Migration ${name} failed: ${error instanceof Error ? error.message : error}`, {
        fix: "Nothing of it was applied. Keep the version that ran before, and report the migration.",
        cause: error,
      });
    }
    applied.push(name);
  }
  return applied;
}
