/** The JSON schema of a flow's parameters, for the API, the UI and the command line. */
import type { JsonObject } from "../protocol/flow-runs.ts";
import type { StandardSchema } from "./standard-schema.ts";

const TARGET = "draft-2020-12";

/**
 * The schema as JSON schema, by the ways in which libraries give it: Standard JSON Schema (zod 4.2 and newer, valibot
 * with its converter), or a method `toJsonSchema` (arktype). Null where the library has none, or where something in it,
 * such as a Date, has no place in JSON schema: parameters are then checked when the flow runs, and not before.
 */
export function parameterSchema(schema: StandardSchema | null): JsonObject | null {
  if (schema === null) return null;
  const { jsonSchema } = schema["~standard"] as {
    readonly jsonSchema?: { readonly input?: (options: { target: string }) => JsonObject };
  };
  const method = Reflect.get(schema, "toJsonSchema") as (() => JsonObject) | undefined;
  try {
    const made = jsonSchema?.input?.({ target: TARGET }) ?? method?.call(schema) ?? null;
    return made === null ? null : { title: "Parameters", ...made };
  } catch {
    // The library says so for what JSON schema cannot express.
    return null;
  }
}

/** Names of parameters that the schema marks secret: `writeOnly`, or of the format "password". */
export function secretParameters(schema: StandardSchema | null): ReadonlySet<string> {
  const properties = Object.entries((parameterSchema(schema)?.["properties"] ?? {}) as Record<string, JsonObject>);
  const isSecret = (one: JsonObject): boolean => one["writeOnly"] === true || one["format"] === "password";
  return new Set(properties.filter(([, one]) => isSecret(one)).map(([name]) => name));
}
