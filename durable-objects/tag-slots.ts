/** Gives back what a task run holds of the limits of its tags. */
import type { TaskRun } from "#protocol/task-runs";
import { limitOwner } from "./limit-owner.ts";

/** The limit of the tag `x` has this name and the tag. */
export const TAG_PREFIX = "tag:";

export async function releaseTagSlots(env: Env, { id, tags }: Pick<TaskRun, "id" | "tags">): Promise<void> {
  if (tags.length === 0) return;
  const names = JSON.stringify(tags.map((tag) => TAG_PREFIX + tag));
  const { results } = await env.DB.prepare(
    "SELECT id FROM concurrency_limits WHERE name IN (SELECT value FROM json_each(?))",
  )
    .bind(names)
    .all<{ id: string }>();
  await Promise.all(results.map((row) => limitOwner(env.CONCURRENCY_LIMITS, row.id).releaseHolder(id)));
}
