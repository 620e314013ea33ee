/** The JSON schema of a flow's parameters, for the API, the UI and the command line. */
import type { JsonObject } from "../protocol/flow-runs.ts";
import { secretParametersOf } from "../protocol/secret-parameters.ts";
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

const secretOf = new WeakMap<StandardSchema, ReadonlySet<string>>();
const NONE: ReadonlySet<string> = new Set();

/** Names of parameters that are secret, or hold something that is; see `secretParametersOf`. */
export function secretParameters(schema: StandardSchema | null): ReadonlySet<string> {
  if (schema === null) return NONE;
  const known = secretOf.get(schema) ?? secretParametersOf(parameterSchema(schema));
  secretOf.set(schema, known);
  return known;
}
