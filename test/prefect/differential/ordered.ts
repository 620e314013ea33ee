/** Puts lists in an order that both servers must agree on: ties of a sort may come as they like. */
import { nameOf } from "./compare.ts";
import { isFields, type Json, type JsonFields } from "./json.ts";

type KeyOf = (item: JsonFields) => Json | undefined;

/** What each sort orders by; a sort that is not here orders by what differs between servers, like the id. */
const SORTED_BY: Readonly<Record<string, KeyOf>> = {
  NAME: (item) => item["name"],
  KEY: (item) => item["key"],
  START_TIME: (item) => item["start_time"] ?? item["expected_start_time"],
  EXPECTED_START_TIME: (item) => item["expected_start_time"],
  NEXT_SCHEDULED_START_TIME: (item) => item["next_scheduled_start_time"],
  END_TIME: (item) => item["end_time"],
  CREATED: (item) => item["created"],
  UPDATED: (item) => item["updated"],
  TIMESTAMP: (item) => item["timestamp"],
};

/** An answer whose list is put in order: the body itself, or its `results`. */
export function inOrder(body: Json, sort: string | undefined): Json {
  if (Array.isArray(body)) return sorted(body as readonly Json[], sort);
  if (isFields(body) && Array.isArray(body["results"])) return { ...body, results: sorted(body["results"], sort) };
  return body;
}

function sorted(items: readonly Json[], sort: string | undefined): Json[] {
  const keyOf = SORTED_BY[(sort ?? "").replace(/_(ASC|DESC)$/, "")] ?? (() => "");
  const groups: { readonly key: string; readonly items: Json[] }[] = [];
  for (const item of items) {
    const key = JSON.stringify(isFields(item) ? (keyOf(item) ?? null) : null);
    const last = groups.at(-1);
    if (last?.key === key) last.items.push(item);
    else groups.push({ key, items: [item] });
  }
  return groups.flatMap((group) => group.items.toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1)));
}

function identityOf(item: Json): string {
  return nameOf(item) ?? JSON.stringify(isFields(item) ? { ...item, id: null } : item);
}
