/** A limit of the runs of a pool or queue, which can be taken away again. */
import { type Parameter, parsed } from "./parameters.ts";

/** Not null for "none": the parser takes null for an option without a value. */
export type RunLimit = number | "none";

export function runLimit(description: string): Parameter<RunLimit | undefined> {
  return parsed(description, readLimit, { placeholder: "n|none" });
}

/** What of a change is about the limit: nothing when nothing was said of it. */
export function limitChange(limit: RunLimit | undefined): { concurrency_limit?: number | null } {
  return limit === undefined ? {} : { concurrency_limit: limit === "none" ? null : limit };
}

function readLimit(given: string): RunLimit {
  if (given === "none") return given;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new Error("neither a whole number nor none");
}
