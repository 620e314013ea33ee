/** Job variables held against the variables that a work pool's template declares. */
import { SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { schemaViolations, UnusableSchema, violationText } from "../durable-objects/schema-violations.ts";

export interface JobVariableCheck {
  readonly baseJobTemplate: JsonObject;
  /** Of the deployment, overlaid with those of the run. */
  readonly variables: JsonObject;
  /** Names what was to be done: "Error creating flow run". */
  readonly what: string;
  /** A deployment need not say everything: its runs may. */
  readonly isComplete: boolean;
}

/** Fails where the variables do not fit. A pool without a schema of variables takes any. */
export function checkJobVariables({ baseJobTemplate, variables, what, isComplete }: JobVariableCheck): void {
  const schema = object(baseJobTemplate["variables"]);
  if (!schema) return;
  const properties = object(schema["properties"]) ?? {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const defaults = Object.entries(properties).flatMap(([name, attributes]) => {
    const declared = object(attributes);
    return declared && "default" in declared ? [[name, declared["default"]] as const] : [];
  });
  // A default that is a reference to a block is resolved by the worker.
  const references = new Set(defaults.filter(([, value]) => object(value)?.["$ref"]).map(([name]) => name));
  const usable = defaults.filter(([name, value]) => references.has(name) || fits({ [name]: value }, schema));
  const given = { ...Object.fromEntries(usable), ...variables };
  const checked = Object.fromEntries(
    // A variable that is optional may be said to be nothing.
    Object.entries(given).filter(
      ([name, value]) => !(value === null && !required.includes(name)) && !references.has(name),
    ),
  );
  const asksForAll = isComplete && usable.length === defaults.length;
  const missing = required.filter((name) => !references.has(String(name)));
  const [first] = violationsOf(checked, asksForAll ? { ...schema, required: missing } : withoutRequired(schema), what);
  if (!first) return;
  throw new SluiceError("validation", `${what}: ${violationText(first)}`, {
    fix: "Send job variables that fit the variables of the work pool's base job template.",
    issues: [{ loc: ["body", "job_variables", ...first.path], msg: first.message, type: first.keyword }],
  });
}

function violationsOf(value: JsonObject, schema: JsonObject, what: string) {
  try {
    return schemaViolations(value, schema);
  } catch (error) {
    if (!(error instanceof UnusableSchema)) throw error;
    const message = `${what}: the variables of the work pool's base job template cannot be used: ${error.message}`;
    throw new SluiceError("validation", message, { fix: "Mend the template of the work pool.", cause: error });
  }
}

function fits(value: JsonObject, schema: JsonObject): boolean {
  try {
    return schemaViolations(value, withoutRequired(schema)).length === 0;
  } catch {
    // What is wrong with the schema is told when all variables are checked.
    return true;
  }
}

function withoutRequired(schema: JsonObject): JsonObject {
  const { required: _, ...rest } = schema;
  return rest;
}

function object(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
