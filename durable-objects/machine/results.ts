/** What a state's data says about its result. */

/** True when the state refers to a result that was stored somewhere: losing the reference loses the result. */
export function hasPersistedResult({ data }: { readonly data?: unknown }): boolean {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return false;
  return !("type" in data && data.type === "unpersisted");
}
