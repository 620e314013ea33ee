/** What follows from a written state of a task run. */

import type { State } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import type { TaskEffect, Transition } from "./rule.ts";
import { MAX_CACHE_KEY_CHARS } from "./rules/a-cache-key-has-a-bounded-length.ts";

/** Derives every effect of a step. */
export function taskEffectsOf({ from, to }: Transition, state: State): readonly TaskEffect[] {
  return [...queueEffects(from, state), ...cacheEffects(to.type, state)];
}

function queueEffects(from: State | null, state: State): TaskEffect[] {
  if (waitsForTaskWorker(state)) {
    const dueAt = fromWireTime(state.state_details.scheduled_time ?? state.timestamp);
    return [{ kind: "enqueue", dueAt, isRetry: state.name === "AwaitingRetry" }];
  }
  return from !== null && waitsForTaskWorker(from) ? [{ kind: "dequeue" }] : [];
}

/** True for a background task that no task worker has taken yet. */
export function waitsForTaskWorker(state: State): boolean {
  return state.type === "SCHEDULED" && state.state_details.deferred === true;
}

/** A task that has tags gives back the slots of their limits when it is not executed any more. */
export function tagEffects(from: State | null, state: State, tags: readonly string[]): TaskEffect[] {
  const isExecuted = (one: State | null) => one?.type === "RUNNING" || one?.type === "CANCELLING";
  return tags.length > 0 && isExecuted(from) && !isExecuted(state) ? [{ kind: "release-tags" }] : [];
}

/** A result that came out of the cache is in it already. */
function cacheEffects(intended: State["type"], state: State): TaskEffect[] {
  const { cache_key: cacheKey, cache_expiration: expiresAt } = state.state_details;
  if (intended !== "COMPLETED" || state.type !== "COMPLETED" || !cacheKey) return [];
  if (cacheKey.length > MAX_CACHE_KEY_CHARS) return [];
  return [{ kind: "remember", cacheKey, expiresAt: expiresAt === null ? null : fromWireTime(expiresAt) }];
}
