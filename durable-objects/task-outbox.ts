/**
 * Performs what follows from states of task runs. What is to be done stands in the task run's own row, stored together
 * with the state, and goes from it when it is done: each effect is performed at least once, in order, under the id of
 * the task run and of its state.
 */

import type { TaskEffect } from "#machine/rule";
import { waitsForTaskWorker } from "#machine/task-effects";
import { deleteTaskCopy } from "./storage/flow-run-copy.ts";
import type { TaskRow } from "./storage/run-rows.ts";
import { forgetResults, rememberResult } from "./storage/task-result-cache.ts";
import { releaseTagSlots } from "./tag-slots.ts";
import { queueOf } from "./task-queue-owner.ts";

/** Where the outbox finds a task run's row, and how it says what is done. */
export interface OutboxRow {
  read(): TaskRow | null;
  /** Removes the oldest `count` effects from the row, durably. */
  done(count: number): Promise<unknown>;
}

/** Performs everything that the row still has to do. Throws what a target throws; it is then called again. */
export async function drainOutbox(env: Env, row: OutboxRow): Promise<void> {
  for (;;) {
    const current = row.read();
    const [effect] = current?.effects ?? [];
    if (current === null || effect === undefined) return;
    await perform(env, current, effect);
    await row.done(1);
  }
}

async function perform(env: Env, { task, states }: TaskRow, effect: TaskEffect): Promise<void> {
  switch (effect.kind) {
    case "enqueue":
      // It may have been cancelled before it was enqueued.
      if (task.state && waitsForTaskWorker(task.state)) {
        const { dueAt, isRetry } = effect;
        await queueOf(env, task.task_key).enqueue({ task, dueAt, isRetry });
      }
      return;
    case "dequeue":
      await queueOf(env, task.task_key).withdraw(task.id);
      return;
    case "remember": {
      const state = states.findLast(({ state_details }) => state_details.cache_key === effect.cacheKey);
      if (state) await rememberResult(env.DB, effect, state);
      return;
    }
    case "release-tags":
      // It may have been started again since.
      if (task.state?.type !== "RUNNING") await releaseTagSlots(env, task);
      return;
    default:
      effect satisfies never;
  }
}

/** Removes what a deleted task run left elsewhere: its copy, its remembered results, its place in a queue. */
export async function deleteTaskTraces(env: Env, { task, states }: TaskRow): Promise<void> {
  const cacheKeys = states.flatMap(({ state_details }) => (state_details.cache_key ? [state_details.cache_key] : []));
  const hasWaited = states.some(waitsForTaskWorker);
  await Promise.all([
    deleteTaskCopy(env.DB, task.id),
    forgetResults(env.DB, task.id, cacheKeys),
    hasWaited ? queueOf(env, task.task_key).withdraw(task.id) : null,
    task.state_type === "RUNNING" ? releaseTagSlots(env, task) : null,
  ]);
}
