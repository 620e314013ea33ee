/**
 * The checksum by which clients find a block schema: SHA-256 over the JSON that Python's `json.dumps` would write of
 * the fields, keys sorted, without `secret_fields` and without definitions of other blocks.
 */
import { isObject, isRawNumber } from "./exact-json.ts";

type Json = Record<string, unknown>;

/** The checksum of a schema's fields, as "sha256:…". Numbers should be exact (see `parseExact`). */
export async function schemaChecksum(fields: Json): Promise<string> {
  const counted = withoutSecretFields(fields) as Json;
  const definitions = counted["definitions"];
  if (isObject(definitions) && Object.keys(definitions).length > 0) {
    const kept = plainDefinitions(counted, definitions);
    if (Object.keys(kept).length > 0) counted["definitions"] = kept;
    else delete counted["definitions"];
  }
  const text = new TextEncoder().encode(`[[${pythonJson(counted)}], {}]`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return `sha256:${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The definitions that are referred to from anywhere in an object and are not blocks of their own. */
export function plainDefinitions(from: unknown, definitions: Json): Json {
  const kept = new Map<string, unknown>();
  const wanted = referencesIn(from);
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const definition = definitions[name];
    if (kept.has(name) || !isObject(definition) || Object.keys(definition).length === 0) continue;
    if (definition["block_type_slug"] != null) continue;
    kept.set(name, definition);
    wanted.push(...referencesIn(definition));
  }
  return Object.fromEntries(kept);
}

/** The names of the definitions that an object refers to, at any depth. */
export function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  const own = value["$ref"];
  const inner = Object.values(value).flatMap(referencesIn);
  return typeof own === "string" && own !== "" ? [own.replaceAll("#/definitions/", ""), ...inner] : inner;
}

/** Upstream takes the key out of objects in objects, not out of objects in lists. */
function withoutSecretFields(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "secret_fields")
      .map(([key, inner]) => [key, withoutSecretFields(inner)]),
  );
}

/** JSON as Python writes it: a space after `,` and `:`, sorted keys, nothing but ASCII. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (isRawNumber(value)) return pythonNumber(value.rawJSON);
  if (isObject(value)) {
    const keys = Object.keys(value).sort(byCodePoint);
    return `{${keys.map((key) => `${pythonText(key)}: ${pythonJson(value[key])}`).join(", ")}}`;
  }
  if (typeof value === "string") return pythonText(value);
  return JSON.stringify(value);
}

function pythonText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function pythonNumber(source: string): string {
  if (/^-?\d+$/.test(source)) return source === "-0" ? "0" : source;
  const value = Number(source);
  if (!Number.isFinite(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const fixed = power < 0 ? value.toFixed(digits.replace(/[-.]/g, "").length - 1 - power) : String(value);
  return fixed.includes(".") ? fixed : `${fixed}.0`;
}

/** JavaScript's own order is that of UTF-16 units, which puts some signs elsewhere. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
