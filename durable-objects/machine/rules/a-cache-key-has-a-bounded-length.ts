import type { OwnedTaskRule } from "../rule.ts";
import { PASS } from "../rule.ts";

/** Characters of a key under which a result is remembered: it is the key of a row. As upstream. */
export const MAX_CACHE_KEY_CHARS = 2_000;

/** A result with a key that is too long is stored, but not remembered, and the caller is told so. */
export const aCacheKeyHasABoundedLength: OwnedTaskRule = {
  name: "a-cache-key-has-a-bounded-length",
  from: "any",
  to: ["COMPLETED"],
  decide: ({ to }) => {
    if ((to.state_details.cache_key ?? "").length <= MAX_CACHE_KEY_CHARS) return PASS;
    return {
      kind: "replace",
      to,
      because: `Cache key exceeded maximum allowed length of ${MAX_CACHE_KEY_CHARS} characters.`,
    };
  },
};
