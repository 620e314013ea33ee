/** Holds what was typed against the schema, by the server, whose word counts anyway. */
import type { JsonObject } from "#protocol/flow-runs";
import { type SchemaValueError, validateValues } from "#protocol/ui-reads";
import { api } from "../../api/client.ts";

/** What is wrong with each property; under the empty name what is wrong with the whole. */
export type FieldErrors = ReadonlyMap<string, readonly string[]>;

export const NO_ERRORS: FieldErrors = new Map();

export async function checkValues(schema: JsonObject, values: JsonObject): Promise<FieldErrors> {
  const { errors } = await api.call(validateValues, { body: { schema, values } }, { idempotent: true });
  const byName = new Map<string, string[]>();
  for (const error of errors) {
    const name = typeof error === "object" && "property" in error ? error.property : "";
    byName.set(name, [...(byName.get(name) ?? []), ...messages(error)]);
  }
  return byName;
}

function messages(error: SchemaValueError): string[] {
  return typeof error === "string" ? [error] : error.errors.flatMap(messages);
}
