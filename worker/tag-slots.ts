/** Takes slots of the limits of a task run's tags, for a task run whose owner decides whether it may run. */
import type { TagSlots } from "#machine/rule";
import { SluiceError } from "#protocol/errors";
import type { TaskRunId } from "#protocol/ids";
import { TAG_PREFIX } from "../durable-objects/tag-slots.ts";
import { acquireSlots } from "./acquire-slots.ts";
import { limitsNamed } from "./db/queries/concurrency-limits.ts";

/** All slots or none. They are held in the name of the task run, until its owner gives them back. */
export async function takeTagSlots(env: Env, id: TaskRunId, tags: readonly string[]): Promise<TagSlots> {
  const rows =
    tags.length === 0
      ? []
      : await limitsNamed(
          env,
          tags.map((tag) => TAG_PREFIX + tag),
        );
  const active = rows.filter((row) => row.active);
  const closed = active.find((row) => row.slotLimit === 0);
  if (closed) return { kind: "closed", tag: closed.name.slice(TAG_PREFIX.length) };
  if (active.length === 0) return { kind: "granted" };
  const names = active.map((row) => row.name);
  try {
    const holder = { type: "task_run", id } as const;
    await acquireSlots(env, { names, slots: 1, mode: "concurrency", ttlMs: null, holder });
    return { kind: "granted" };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "locked") throw error;
    const limited = names.map((name) => name.slice(TAG_PREFIX.length));
    return { kind: "full", tags: limited, retryAfterSeconds: error.retryAfterSeconds ?? 1 };
  }
}
