/** What of a JSON schema the forms understand; the rest is typed as JSON, and held against the schema by the server. */
import type { JsonObject } from "#protocol/flow-runs";

export interface FieldSchema {
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly kind: "text" | "number" | "integer" | "boolean" | "choice" | "date" | "date-time" | "group" | "json";
  /** Of "json": a text is one of the values that are allowed. */
  readonly takesText?: boolean;
  /** May be left empty, which means null. */
  readonly nullable: boolean;
  readonly properties?: JsonObject;
  readonly required?: readonly string[];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a schema, with its `$ref`s looked up in `root`. */
export function fieldSchema(schema: unknown, root: JsonObject): FieldSchema {
  const own = resolved(schema, root);
  const options = alternatives(own);
  const real = options.filter((option) => !(isObject(option) && option["type"] === "null"));
  const nullable = real.length < options.length;
  const [only] = real;
  if (real.length === 1 && only !== own) return { ...fieldSchema(only, root), ...texts(own), nullable };
  const base = { ...texts(own), nullable };
  if (Array.isArray(own["enum"])) return { ...base, kind: "choice", enum: own["enum"] };
  if (real.length > 1) return { ...base, kind: "json", takesText: real.some((one) => isText(one, root)) };
  switch (own["type"]) {
    case "string":
      return { ...base, kind: textKind(own["format"]) };
    case "number":
    case "integer":
    case "boolean":
      return { ...base, kind: own["type"] };
    case "object":
      if (!isObject(own["properties"])) return { ...base, kind: "json" };
      return { ...base, kind: "group", properties: own["properties"], required: words(own["required"]) };
    default:
      return { ...base, kind: "json", takesText: own["type"] === undefined };
  }
}

function resolved(schema: unknown, root: JsonObject): JsonObject {
  if (!isObject(schema)) return {};
  const all = schema["allOf"];
  const ref =
    schema["$ref"] ?? (Array.isArray(all) && all.length === 1 && isObject(all[0]) ? all[0]["$ref"] : undefined);
  if (typeof ref !== "string" || !ref.startsWith("#/")) return schema;
  let found: unknown = root;
  for (const part of ref.slice(2).split("/")) found = isObject(found) ? found[part] : undefined;
  return isObject(found) ? { ...resolved(found, root), ...schema, $ref: undefined } : schema;
}

function alternatives(schema: JsonObject): readonly unknown[] {
  const { type } = schema;
  if (Array.isArray(type)) return type.map((one) => ({ ...schema, type: one }));
  const options = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(options) ? options : [schema];
}

function texts(schema: JsonObject) {
  return {
    ...(typeof schema["title"] === "string" && { title: schema["title"] }),
    ...(typeof schema["description"] === "string" && { description: schema["description"] }),
    ...(schema["default"] !== undefined && { default: schema["default"] }),
    ...(typeof schema["format"] === "string" && { format: schema["format"] }),
  };
}

function isText(schema: unknown, root: JsonObject): boolean {
  return resolved(schema, root)["type"] === "string";
}

function textKind(format: unknown): "text" | "date" | "date-time" {
  return format === "date" || format === "date-time" ? format : "text";
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}
