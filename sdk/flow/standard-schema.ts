/**
 * Standard Schema (https://standardschema.dev, version 1): the common face of zod, valibot, arktype and others.
 * Only the part that is used here is declared, so that any of them fits without being imported.
 */
import { HIDDEN } from "../protocol/secret-parameters.ts";
import { secretParameters } from "./parameter-schema.ts";

/** A schema of any library. `Input` is what a caller gives, `Output` what the flow receives. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a caller gives to a schema. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];
/** What a schema answers. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** Parameters, or an input, that their schema refuses: which field, with which value, and what the schema wants. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
  readonly issues: readonly SchemaIssue[];

  /** `refusal` is a sentence that says who does not take what. Values of the fields in `secret`, by default none, are not told. */
  constructor(
    refusal: string,
    parameters: unknown,
    issues: readonly SchemaIssue[],
    secret: ReadonlySet<PropertyKey> = new Set(),
  ) {
    const told = issues.map((issue) => {
      const path = keysOf(issue);
      if (path.length === 0) return `the value is ${secret.size > 0 ? HIDDEN : show(parameters)}: ${issue.message}`;
      const value = valueAt(parameters, path);
      const isTold = value === undefined || !secret.has(path[0] ?? "");
      return `"${path.join(".")}" is ${isTold ? show(value) : HIDDEN}: ${issue.message}`;
    });
    super(`${refusal} ${told.join("; ")}.`);
    this.issues = issues;
  }
}

/** Parses parameters by their schema; throws {@link ParameterError}. */
export async function parseParameters(
  flowName: string,
  schema: StandardSchema | null,
  parameters: unknown,
): Promise<unknown> {
  return await parsed(schema, parameters, noSuchParameters(flowName));
}

/** Parses an input that a run has waited for; throws {@link ParameterError}. */
export async function parseInput(what: string, schema: StandardSchema | null, value: unknown): Promise<unknown> {
  return await parsed(schema, value, `${what} is not as its schema wants it.`);
}

async function parsed(schema: StandardSchema | null, value: unknown, refusal: string): Promise<unknown> {
  if (schema === null) return value;
  const result = await schema["~standard"].validate(value);
  if (result.issues) throw new ParameterError(refusal, value, result.issues, secretParameters(schema));
  return result.value;
}

function noSuchParameters(flowName: string): string {
  return `Flow "${flowName}" does not take these parameters.`;
}

/** Throws {@link ParameterError} for what is given and refused. What is missing may be given when a run is made. */
export async function checkGiven(
  flowName: string,
  schema: StandardSchema | null,
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const result = await schema?.["~standard"].validate(given);
  const wrong = (result?.issues ?? []).filter((issue) => {
    const [name] = keysOf(issue);
    return name !== undefined && name in given;
  });
  if (wrong.length > 0) {
    throw new ParameterError(noSuchParameters(flowName), given, wrong, secretParameters(schema));
  }
}

function keysOf(issue: SchemaIssue): PropertyKey[] {
  return (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
