import { desc, eq } from "drizzle-orm";
import type { DeadLetter } from "#protocol/dead-letters";
import { type EpochMs, toWireTime } from "#protocol/time";
import { openDb } from "../open.ts";
import { deadLetters } from "../schema/dead-letters.ts";
import type { Page } from "./work-pools.ts";

export async function listDeadLetters(env: Env, queue: string | null, page: Page): Promise<DeadLetter[]> {
  const rows = await openDb(env)
    .select()
    .from(deadLetters)
    .where(queue === null ? undefined : eq(deadLetters.queue, queue))
    .orderBy(desc(deadLetters.created), desc(deadLetters.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toLetter);
}

export async function deadLetterById(env: Env, id: string): Promise<DeadLetter | null> {
  const [row] = await openDb(env).select().from(deadLetters).where(eq(deadLetters.id, id));
  return row ? toLetter(row) : null;
}

/** False when there is no such letter. */
export async function deleteDeadLetter(env: Env, id: string): Promise<boolean> {
  const gone = await openDb(env).delete(deadLetters).where(eq(deadLetters.id, id)).returning({ id: deadLetters.id });
  return gone.length > 0;
}

function toLetter(row: typeof deadLetters.$inferSelect): DeadLetter {
  return { ...row, created: toWireTime(row.created as EpochMs) };
}
