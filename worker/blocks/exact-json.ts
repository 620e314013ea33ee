/**
 * JSON in which every number keeps the digits it was written with: `60.0` is not `60`, and twenty digits stay twenty.
 * Prefect's checksums are taken over such text, and what people put into a block comes back as they wrote it.
 */
import type { Context } from "hono";

/** A number that JavaScript would write differently; `JSON.stringify` writes it as it was. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** The part of JSON that TypeScript's libraries do not know yet. */
interface ExactJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
const json = JSON as unknown as ExactJson;

/** Reads JSON. Numbers that would be written differently become a {@link RawNumber}. */
export function parseExact(text: string): unknown {
  return json.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && source !== String(value) ? json.rawJSON(source) : value,
  );
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** An object with keys; not an array, not a number in disguise. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** One key of a request's body, exactly. The body was read and checked before, so it is JSON and not too deep. */
export async function exactField(c: Context, key: string): Promise<Record<string, unknown> | null> {
  const text = await c.req.text();
  const body = text === "" ? null : parseExact(text);
  const value = isObject(body) ? body[key] : null;
  return isObject(value) ? value : null;
}
