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

/** Parameters that their schema refuses: which field, with which value, and what the schema wants. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
  readonly issues: readonly SchemaIssue[];

  /** Values of the parameters named in `secret`, by default none, are not told. */
  constructor(
    flowName: string,
    parameters: unknown,
    issues: readonly SchemaIssue[],
    secret: ReadonlySet<PropertyKey> = new Set(),
  ) {
    const told = issues.map((issue) => {
      const path = keysOf(issue);
      if (path.length === 0) return `parameters is ${secret.size > 0 ? HIDDEN : show(parameters)}: ${issue.message}`;
      const value = valueAt(parameters, path);
      const isTold = value === undefined || !secret.has(path[0] ?? "");
      return `"${path.join(".")}" is ${isTold ? show(value) : HIDDEN}: ${issue.message}`;
    });
    super(`Flow "${flowName}" does not take these parameters. ${told.join("; ")}.`);
    this.issues = issues;
  }
}

/** Parses parameters by their schema; throws {@link ParameterError}. */
export async function parseParameters(
  flowName: string,
  schema: StandardSchema | null,
  parameters: unknown,
): Promise<unknown> {
  if (schema === null) return parameters;
  const result = await schema["~standard"].validate(parameters);
  if (result.issues) throw new ParameterError(flowName, parameters, result.issues, secretParameters(schema));
  return result.value;
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
  if (wrong.length > 0) throw new ParameterError(flowName, given, wrong, secretParameters(schema));
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
