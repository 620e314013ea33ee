/** Parameters held against the JSON schema of a deployment. */
import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";

/** Fails with `conflict`, as upstream does, where the parameters do not fit, or where the schema itself is broken. */
export function checkParameters(parameters: JsonObject, schema: JsonObject | null): void {
  if (schema === null || Object.keys(schema).length === 0) return;
  const issues = validate(parameters, schema)
    .filter((error) => error.keyword !== "properties")
    .map((error) => ({
      loc: ["body", "parameters", ...error.instanceLocation.split("/").slice(1)],
      msg: error.error,
      type: error.keyword,
    }));
  const first = issues[0];
  if (first === undefined) return;
  throw new SluiceError("conflict", `Validation failed for field '${first.loc.slice(2).join(".")}'. ${first.msg}`, {
    fix: "Send parameters that fit the deployment's parameter_openapi_schema, or enforce_parameter_schema: false.",
    issues,
  });
}

/** What is wrong with the parameters; nothing when they are valid. */
function validate(parameters: JsonObject, schema: JsonObject): readonly OutputUnit[] {
  try {
    return new Validator(schema, "2020-12", false).validate(parameters).errors;
  } catch (error) {
    // A $ref that leads nowhere or in a circle, a pattern that is no regular expression: people's input, not a defect.
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new SluiceError("conflict", `The deployment's parameter_openapi_schema cannot be used: ${reason}`, {
      fix: "Mend the schema (PATCH the deployment), or send enforce_parameter_schema: false.",
      cause: error,
    });
  }
}
