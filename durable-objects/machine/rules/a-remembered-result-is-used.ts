import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** A task whose result is remembered under its cache key does not run: it takes over the result as `Cached`. */
export const aRememberedResultIsUsed: OwnedTaskRule = {
  name: "a-remembered-result-is-used",
  from: "any",
  to: ["RUNNING"],
  decide: ({ to }, { cached }) => {
    if (cached === null || !to.state_details.cache_key || to.state_details.refresh_cache) return PASS;
    const { type, message, data } = cached;
    const state_details = { ...cached.state_details, child_flow_run_id: null, transition_id: null };
    return {
      kind: "replace",
      to: { type, name: "Cached", message, data: data ?? null, state_details },
      because: "Retrieved state from cache",
    };
  },
};
