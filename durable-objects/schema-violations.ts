/**
 * People's values held against people's JSON schemas. Messages are worded as Python's jsonschema words them where that is
 * simple: Prefect's clients show them to people, and some compare them.
 */
import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { HIDDEN, secretParametersOf } from "#protocol/secret-parameters";

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

/** Units that only say that something in them, listed beside them, does not fit. */
const CONTAINERS = new Set(["properties", "items", "prefixItems", "$ref", "allOf"]);

/** What is wrong with a value; empty when it is valid. Secret values are not told. Throws {@link UnusableSchema}. */
export function schemaViolations(value: unknown, schema: object): SchemaViolation[] {
  let errors: readonly OutputUnit[];
  try {
    errors = new Validator(schema, "2020-12", false).validate(value).errors;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UnusableSchema(reason, { cause: error });
  }
  const secret = secretParametersOf(schema);
  const telling = errors.filter(({ keyword }) => !CONTAINERS.has(keyword));
  return (telling.length > 0 ? telling : errors).map((unit) => {
    const path = keysOf(unit.instanceLocation);
    const isTold = unit.keyword === "required" || !secret.has(path[0] ?? "");
    const message = isTold
      ? messageOf(unit, at(value, path), schema)
      : `${repr(HIDDEN)} is not valid (${unit.keyword})`;
    return { path, keyword: unit.keyword, message };
  });
}

/** The first violation as upstream's API words it. */
export function violationText({ path, message }: SchemaViolation): string {
  const place = path.length > 0 ? ` for field '${path.join(".")}'` : "";
  return `Validation failed${place}. Failure reason: ${message}`;
}

function messageOf({ keyword, keywordLocation, error }: OutputUnit, instance: unknown, schema: object): string {
  switch (keyword) {
    case "type": {
      const expected = [at(schema, keysOf(keywordLocation))].flat();
      // Behind a $ref the place of the keyword is not a place in the schema.
      if (!expected.every((type) => typeof type === "string")) return error;
      return `${repr(instance)} is not of type ${expected.map(repr).join(", ")}`;
    }
    case "required":
      return error.replace(/^.*property "(.*)"\.$/, "'$1' is a required property");
    case "enum": {
      const allowed = at(schema, keysOf(keywordLocation));
      return Array.isArray(allowed) ? `${repr(instance)} is not one of [${allowed.map(repr).join(", ")}]` : error;
    }
    default:
      return error;
  }
}

/** The keys of a JSON pointer in a URI fragment. */
function keysOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** As Python prints a value, without its oddities. */
function repr(value: unknown): string {
  if (typeof value === "string") return `'${value}'`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value) ?? "undefined";
}
