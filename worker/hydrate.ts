/**
 * Values that stand for others, as Prefect's forms send them: `{"__prefect_kind": "json", "value": "[1]"}` is a list,
 * `workspace_variable` the value of a variable, and `none` what stands in it (upstream: utilities/schema_tools/hydration.py).
 */
import { SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { findVariable } from "./db/queries/variables.ts";

const KIND = "__prefect_kind";

/** The value without anything that stands for another one. Fails with `bad_request` where one cannot be resolved. */
export async function hydrate(env: Env, values: JsonObject): Promise<JsonObject> {
  // Nearly always there is nothing to do, which a look at the text tells.
  if (!JSON.stringify(values).includes(KIND)) return values;
  return (await resolve(env, values)) as JsonObject;
}

async function resolve(env: Env, value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((inner) => resolve(env, inner)));
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  switch (object[KIND]) {
    case undefined: {
      const entries = Object.entries(object).map(async ([key, inner]) => [key, await resolve(env, inner)] as const);
      return Object.fromEntries(await Promise.all(entries));
    }
    case "none":
      return resolve(env, object["value"]);
    case "json":
      return parsed(await resolve(env, object["value"]));
    case "workspace_variable":
      return variable(env, await resolve(env, object["variable_name"]));
    case "jinja":
      throw unresolved("Jinja templates in parameters are not supported.", "Send the rendered value.");
    default:
      throw unresolved(`"${String(object[KIND])}" is no kind of value.`, `Send one of none, json, workspace_variable.`);
  }
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unresolved(`Invalid JSON: ${(error as Error).message}`, "Send valid JSON as text.");
  }
}

async function variable(env: Env, name: unknown): Promise<unknown> {
  const found = typeof name === "string" ? await findVariable(env, { name }) : null;
  if (!found) throw unresolved(`Variable '${String(name)}' not found in workspace.`, "Create the variable first.");
  return found.value;
}

function unresolved(message: string, fix: string): SluiceError {
  return new SluiceError("bad_request", `Error hydrating flow run parameters: ${message}`, { fix });
}
