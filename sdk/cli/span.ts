/** Options that say how long: `5s`, `1h 30m`, or bare seconds. */
import { parseDuration } from "../flow/duration.ts";
import { type Parameter, parsed } from "./parameters.ts";

/** What takes a span away again. Not null: the parser takes null for an option without a value. */
export const NONE = "none";

/** A span in milliseconds. */
export function span(description: string): Parameter<number | undefined> {
  return parsed(description, readSpan, { placeholder: "span" });
}

/** A span in milliseconds, or none. */
export function spanOrNone(description: string): Parameter<number | typeof NONE | undefined> {
  return parsed(description, (given) => (given === NONE ? NONE : readSpan(given)), { placeholder: "span|none" });
}

export function readSpan(given: string): number {
  const isBare = /^\d+(?:\.\d+)?$/.test(given);
  try {
    return parseDuration(isBare ? `${given}s` : given, "it");
  } catch (error) {
    throw new Error("not a span: write 500ms, 30s, 5m, 1h 30m or 2d, or bare seconds", { cause: error });
  }
}
