/** Two JSON values, field by field. */
import { isFields, type Json } from "./json.ts";

/** What is different, where. `path` has `[]` for any item: `[].state.name`; `members` and `order` are those of a list. */
export interface Difference {
  readonly path: string;
  readonly theirs: Json | undefined;
  readonly ours: Json | undefined;
}

export function compare(theirs: Json | undefined, ours: Json | undefined, path = ""): Difference[] {
  if (Array.isArray(theirs) && Array.isArray(ours)) {
    const [theirNamed, ourNamed] = [named(theirs), named(ours)];
    if (theirNamed !== null && ourNamed !== null) return compareByName(theirNamed, ourNamed, path);
    if (theirs.length !== ours.length) return [{ path: `${path}.length`, theirs: theirs.length, ours: ours.length }];
    return theirs.flatMap((item: Json, index) => compare(item, ours[index], `${path}[]`));
  }
  if (isFields(theirs) && isFields(ours)) {
    const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
    return [...keys].flatMap((key) => compare(theirs[key], ours[key], path === "" ? key : `${path}.${key}`));
  }
  return Object.is(theirs, ours) || isClose(theirs, ours) ? [] : [{ path, theirs, ours }];
}

/** Averages of spans up to now: the servers were asked a moment apart. */
function isClose(theirs: Json | undefined, ours: Json | undefined): boolean {
  if (typeof theirs !== "number" || typeof ours !== "number" || Number.isInteger(ours)) return false;
  return Math.abs(theirs - ours) < Math.max(1.5, Math.abs(theirs) / 100_000);
}

/** An item with what it is recognised by. */
interface Named {
  readonly name: string;
  readonly item: Json;
}

/** The items by name, when each is an object that has one of its own, so that each can be compared with its like. */
function named(items: readonly Json[]): readonly Named[] | null {
  const all = items.map((item) => ({ name: nameOf(item), item }));
  const isEach = all.every((one): one is Named => one.name !== null);
  return isEach && new Set(all.map(({ name }) => name)).size === all.length ? (all as readonly Named[]) : null;
}

/** The id, which is a name by now; that of the latest artifact stands for its collection. */
export function nameOf(item: Json): string | null {
  if (!isFields(item)) return null;
  const id = item["latest_id"] ?? item["id"];
  return typeof id === "string" && !id.startsWith("id ") ? id : null;
}

function compareByName(theirs: readonly Named[], ours: readonly Named[], path: string): Difference[] {
  const namesOf = (items: readonly Named[]): string[] => items.map(({ name }) => name);
  const ourItems = new Map(ours.map(({ name, item }) => [name, item]));
  const theirItems = new Map(theirs.map(({ name, item }) => [name, item]));
  const onlyTheirs = namesOf(theirs).filter((name) => !ourItems.has(name));
  const onlyOurs = namesOf(ours).filter((name) => !theirItems.has(name));
  const areSame = onlyTheirs.length + onlyOurs.length === 0;
  const isSameOrder = !areSame || JSON.stringify(namesOf(theirs)) === JSON.stringify(namesOf(ours));
  return [
    ...(areSame ? [] : [{ path: `${path}.members`, theirs: onlyTheirs, ours: onlyOurs }]),
    ...(isSameOrder ? [] : [{ path: `${path}.order`, theirs: namesOf(theirs), ours: namesOf(ours) }]),
    ...theirs.flatMap(({ name, item }) => (ourItems.has(name) ? compare(item, ourItems.get(name), `${path}[]`) : [])),
  ];
}
