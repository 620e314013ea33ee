/** Brings D1 to the program's schema, through the Worker, since nothing else can open its database. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "./ask.ts";
import { ServerError } from "./errors.ts";
import type { Program } from "./program.ts";

interface Migration {
  /** As drizzle names it: "0000_initial". */
  readonly name: string;
  readonly statements: readonly string[];
}

/** A migration that rewrites a large table takes its time. */
const TIMEOUT_MS = 10 * 60_000;

/** Answers the names of the migrations that were applied. Throws `migration_failed`. */
export async function migrate(origin: string, bootToken: string, program: Program): Promise<string[]> {
  const answer = await ask({
    method: "POST",
    url: `${origin}/api/internal/migrate`,
    token: bootToken,
    json: { migrations: readMigrations(program) },
    timeoutMs: TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw failure(String(cause), cause);
  });
  if (answer.status !== 200) throw failure(`${answer.status} ${reasonIn(answer.body)}`);
  const { applied }: { applied: string[] } = JSON.parse(answer.body);
  return applied;
}

function readMigrations(program: Program): Migration[] {
  return program.schemas.map((name) => ({
    name,
    statements: splitStatements(readFileSync(join(program.migrationsFolder, `${name}.sql`), "utf8")),
  }));
}

/** The statements of a file written by drizzle-kit. */
export function splitStatements(sql: string): string[] {
  return sql
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/** The message of the API's error envelope, or the text if it is none. */
function reasonIn(body: string): string {
  try {
    const { exception_message: message }: { exception_message?: string } = JSON.parse(body);
    return message ?? body;
  } catch {
    // No JSON: whatever it is, it is all there is to show.
    return body;
  }
}

function failure(reason: string, cause?: unknown): ServerError {
  return new ServerError("migration_failed", `The database could not be brought to this version's schema: ${reason}`, {
    fix: "The database is as it was before: run the version of Sluice that used this folder last. See server.log in it for the reason.",
    cause,
  });
}
