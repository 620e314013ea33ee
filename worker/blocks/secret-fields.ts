/**
 * Which parts of a block's data are secret: those that its schema's `secret_fields` name, as "key", "outer.key" or
 * "outer.*". Whatever lies below a named field is secret too, in objects that lie in lists as well.
 */
import { OBFUSCATED } from "#protocol/block-documents";
import { isObject } from "./exact-json.ts";

export type DataPath = readonly (string | number)[];
type Json = Record<string, unknown>;

/** A secret and where in the data it stands. */
export type SecretAt = readonly [path: DataPath, value: unknown];

/** A remaining part of a secret field's path. */
type Pattern = readonly string[];

/** The paths that a schema's fields name. */
export function secretFieldsOf(fields: Json): string[] {
  const named = fields["secret_fields"];
  return Array.isArray(named) ? named.filter((field) => typeof field === "string") : [];
}

/** Data with each secret replaced by what `replace` makes of it. Null is a secret only below a field or a wildcard. */
export function mapSecrets(
  data: Json,
  secretFields: readonly string[],
  replace: (value: unknown, path: DataPath) => unknown,
): Json {
  // The data as a whole is never a secret, even if a field is named "*".
  if (Object.keys(data).length === 0) return {};
  const patterns = secretFields.map((field) => field.split("."));
  return mapBelow(data, patterns, [], replace) as Json;
}

/** What may be shown, and the secrets that were taken out of it. */
export function splitSecrets(data: Json, secretFields: readonly string[]): { shown: Json; secrets: SecretAt[] } {
  const secrets: SecretAt[] = [];
  const shown = mapSecrets(data, secretFields, (value, path) => {
    secrets.push([path, value]);
    return OBFUSCATED;
  });
  return { shown, secrets };
}

/** The reverse of {@link splitSecrets}. */
export function joinSecrets(shown: Json, secrets: readonly SecretAt[]): Json {
  const whole = structureOf(shown) as Json;
  for (const [path, value] of secrets) {
    const last = path.at(-1);
    const holder = valueAt(whole, path.slice(0, -1));
    if (last !== undefined && typeof holder === "object" && holder !== null) {
      Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return whole;
}

/** Undefined where there is nothing. */
export function valueAt(data: unknown, path: DataPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key) ? Reflect.get(inner, key) : undefined,
    data,
  );
}

function mapBelow(
  value: unknown,
  patterns: readonly Pattern[],
  path: DataPath,
  replace: (value: unknown, path: DataPath) => unknown,
): unknown {
  const isWild = patterns.some(([head]) => head === "*");
  if (isWild || patterns.some((pattern) => pattern.length === 0)) {
    return value === null && !isWild ? null : mapLeaves(value, path, replace);
  }
  if (patterns.length === 0) return value;
  if (Array.isArray(value)) return value.map((item, at) => mapBelow(item, patterns, [...path, at], replace));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      mapBelow(
        inner,
        patterns.flatMap((pattern) => restAfter(pattern, key)),
        [...path, key],
        replace,
      ),
    ]),
  );
}

/** A key may itself contain dots, so it may use up several parts of a path. */
function restAfter(pattern: Pattern, key: string): Pattern[] {
  return pattern.flatMap((_, at) => (pattern.slice(0, at + 1).join(".") === key ? [pattern.slice(at + 1)] : []));
}

/** The keys of a secret object stay readable, a list is one secret. */
function mapLeaves(value: unknown, path: DataPath, replace: (value: unknown, path: DataPath) => unknown): unknown {
  if (!isObject(value) || Object.keys(value).length === 0) return replace(value, path);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, mapLeaves(inner, [...path, key], replace)]),
  );
}

/** A copy whose objects and lists are new; what is in them is shared. */
function structureOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structureOf);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, structureOf(inner)]));
}
