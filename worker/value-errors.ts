/** What is wrong with the values of a form, as a tree that follows the values. */
import type { SchemaValueError } from "#protocol/ui-reads";
import type { SchemaViolation } from "../durable-objects/schema-violations.ts";

type Branch = Exclude<SchemaValueError, string>;

/** Messages by property and index, in the order in which they were found. */
export function valueErrors(violations: readonly SchemaViolation[]): SchemaValueError[] {
  const root: SchemaValueError[] = [];
  for (const { path, keyword, message } of violations) {
    let level = root;
    for (const key of withMissing(path, keyword, message)) level = branchOf(level, key).errors;
    level.push(message);
  }
  return root;
}

function branchOf(level: SchemaValueError[], key: string): Branch {
  const index = /^\d+$/.test(key) ? Number(key) : null;
  const known = level.find(
    (entry): entry is Branch =>
      typeof entry === "object" && ("index" in entry ? entry.index === index : entry.property === key),
  );
  if (known) return known;
  const made: Branch = index === null ? { property: key, errors: [] } : { index, errors: [] };
  level.push(made);
  return made;
}

/** A property that is missing is told of in its own place, where a form shows it. */
function withMissing(path: readonly string[], keyword: string, message: string): readonly string[] {
  const missing = keyword === "required" ? /^'([^']+)'/.exec(message)?.[1] : undefined;
  return missing === undefined ? path : [...path, missing];
}
