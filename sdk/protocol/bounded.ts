/** Bounds on free JSON: a value that is larger than a stored row may be is refused at the border, by its field. */
import type { z } from "zod";
import { utf8Length } from "./utf8.ts";

/** The schema, refusing values whose JSON is longer than `bytes`. */
export function bounded<T extends z.ZodType>(schema: T, bytes: number): T {
  return schema.refine((value) => value == null || jsonLength(value) <= bytes, {
    error: `is larger than ${bytes} bytes of JSON; keep large data in storage of your own, and send where it is`,
  });
}

function jsonLength(value: unknown): number {
  return utf8Length(JSON.stringify(value) ?? "");
}
