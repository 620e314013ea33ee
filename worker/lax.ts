/**
 * What Prefect's server takes for what was meant: `"5"` for 5, `"yes"` for true, null for an empty body. Values are looked at again only where a schema refused them, so that requests in order cost nothing.
 */
import type { z } from "zod";

/** As pydantic's lax mode reads them, whatever their case. */
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "on", "t", "true", "y", "yes"].map((word) => [word, true] as const),
  ...["0", "off", "f", "false", "n", "no"].map((word) => [word, false] as const),
]);
const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;

/** Parses, and once more with what the refused fields may have meant; answers the first verdict if that fails, too. */
export function parseLax<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  const first = schema.safeParse(value);
  if (first.success) return first;
  const meant = value === null ? {} : repaired(value, first.error.issues);
  if (meant === undefined) return first;
  const second = schema.safeParse(meant);
  return second.success ? second : first;
}

/** A copy in which each refused field has what it may have meant; undefined when one of them cannot be helped. */
function repaired(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path, ...issue } of issues) {
    const key = path.at(-1);
    const holder = path.slice(0, -1).reduce<unknown>(within, copy);
    if (key === undefined || typeof holder !== "object" || holder === null) return undefined;
    const meant = meaning(issue, within(holder, key));
    if (meant === undefined) return undefined;
    Reflect.set(holder, key, meant);
  }
  return copy;
}

function within(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function meaning(issue: { readonly code?: string; readonly expected?: string }, given: unknown): unknown {
  if (issue.code !== "invalid_type") return undefined;
  if (issue.expected === "boolean") return asBoolean(given);
  if (issue.expected === "number" || issue.expected === "int") {
    return typeof given === "string" && NUMBER.test(given) ? Number(given) : undefined;
  }
  return undefined;
}

function asBoolean(given: unknown): boolean | undefined {
  if (typeof given === "string") return WORDS.get(given.trim().toLowerCase());
  return given === 0 ? false : given === 1 ? true : undefined;
}
