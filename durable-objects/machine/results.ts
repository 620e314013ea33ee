/** What a state's data says about its result. */

/** True when the state refers to a result that was stored somewhere: losing the reference loses the result. */
export function hasPersistedResult({ data }: { readonly data?: unknown }): boolean {
  if (data === null || data === undefined) return false;
  return !(typeof data === "object" && "type" in data && data.type === "unpersisted");
}
