/** Names of flow runs that their flow makes of their parameters. */
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { FlowDefinition } from "../flow.ts";

/** The name of a run with these parameters; null for a flow that does not say. */
export function flowRunName({ name, runName }: FlowDefinition, parameters: JsonObject): string | null {
  if (runName === null) return null;
  const made = typeof runName === "function" ? runName(parameters) : filled(runName, parameters);
  if (typeof made !== "string" || made === "") {
    throw new TypeError(`The option "flowRunName" of flow "${name}" made ${JSON.stringify(made)}. Make it a text.`);
  }
  return made.slice(0, LIMITS.nameChars);
}

function filled(template: string, parameters: JsonObject): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => {
    if (!Object.hasOwn(parameters, key)) return whole;
    const value = parameters[key];
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
