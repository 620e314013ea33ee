/** People's values held against people's JSON schemas. */
import { type OutputUnit, Validator } from "@cfworker/json-schema";

/** Where a value does not fit, as a path of keys, and why. */
export interface SchemaViolation {
  readonly path: readonly string[];
  readonly keyword: string;
  readonly message: string;
}

/** The schema itself cannot be used: a $ref leads nowhere or in a circle, a pattern is no regular expression. */
export class UnusableSchema extends Error {
  override readonly name = "UnusableSchema";
}

/** What is wrong with a value; empty when it is valid. Throws {@link UnusableSchema}. */
export function schemaViolations(value: unknown, schema: object): SchemaViolation[] {
  let errors: readonly OutputUnit[];
  try {
    errors = new Validator(schema, "2020-12", false).validate(value).errors;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UnusableSchema(reason, { cause: error });
  }
  // "properties" only says that one of the properties, listed beside it, does not fit.
  return errors
    .filter((error) => error.keyword !== "properties")
    .map((error) => ({
      path: error.instanceLocation.split("/").slice(1),
      keyword: error.keyword,
      message: error.error,
    }));
}
