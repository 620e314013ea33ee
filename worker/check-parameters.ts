/** Parameters held against the JSON schema of a deployment. */
import { SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { schemaViolations, UnusableSchema, violationText } from "../durable-objects/schema-violations.ts";

/** Fails with `conflict`, as upstream does, where the parameters do not fit, or where the schema itself is broken. */
export function checkParameters(parameters: JsonObject, schema: JsonObject | null): void {
  if (schema === null || Object.keys(schema).length === 0) return;
  const found = violations(parameters, schema);
  const first = found[0];
  if (first === undefined) return;
  throw new SluiceError("conflict", `Error creating flow run: ${violationText(first)}`, {
    fix: "Send parameters that fit the deployment's parameter_openapi_schema, or enforce_parameter_schema: false.",
    issues: found.map(({ path, keyword, message }) => ({
      loc: ["body", "parameters", ...path],
      msg: message,
      type: keyword,
    })),
  });
}

function violations(parameters: JsonObject, schema: JsonObject) {
  try {
    return schemaViolations(parameters, schema);
  } catch (error) {
    if (!(error instanceof UnusableSchema)) throw error;
    const message = `The deployment's parameter_openapi_schema cannot be used: ${error.message}`;
    throw new SluiceError("conflict", message, {
      fix: "Mend the schema (PATCH the deployment), or send enforce_parameter_schema: false.",
      cause: error,
    });
  }
}
