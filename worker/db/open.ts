import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";

export type Db = DrizzleD1Database;

/** D1 through drizzle. Camel case here, snake case there. */
export function openDb(env: Env): Db {
  return drizzle(env.DB, { casing: "snake_case" });
}
