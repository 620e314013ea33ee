/** The template of a work pool's jobs: a configuration with placeholders, and the variables that may fill them. */
import type { z } from "zod";
import { JsonObject } from "./flow-runs.ts";

const PLACEHOLDER = /\{\{\s*([^}]*?)\s*\}\}/g;
/** Placeholders that the worker resolves by itself. */
const RESOLVED_ELSEWHERE = ["prefect.", "$"];

/** Names of the variables that a configuration uses and the schema does not declare. */
export function undeclaredVariables(template: JsonObject): string[] {
  const variables = template["variables"] as { properties?: JsonObject } | null | undefined;
  const declared = new Set(Object.keys(variables?.properties ?? {}));
  const used = new Set<string>();
  for (const [, name = ""] of JSON.stringify(template["job_configuration"] ?? {}).matchAll(PLACEHOLDER)) {
    // A variable that holds an object may be looked into.
    const root = name.split(".")[0] ?? name;
    if (!RESOLVED_ELSEWHERE.some((prefix) => name.startsWith(prefix)) && !declared.has(root)) used.add(root);
  }
  return [...used];
}

/** A template; one that is not empty has a configuration and the schema of its variables. */
export const BaseJobTemplate = JsonObject.superRefine((template, context) => {
  if (Object.keys(template).length === 0) return;
  for (const key of ["job_configuration", "variables"]) {
    if (typeof template[key] !== "object" || template[key] === null) {
      context.addIssue({
        code: "custom",
        path: [key],
        message: `The \`base_job_template\` must contain both a \`job_configuration\` key and a \`variables\` key; \`${key}\` is missing.`,
      });
      return;
    }
  }
  const undeclared = undeclaredVariables(template);
  if (undeclared.length === 0) return;
  context.addIssue({
    code: "custom",
    path: ["job_configuration"],
    message:
      "The variables specified in the job configuration template must be present as properties in the variables " +
      `schema. Your job configuration uses the following undeclared variable(s): ${undeclared.join(" ,")}.`,
  });
}) satisfies z.ZodType<JsonObject>;
