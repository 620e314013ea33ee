/** From a pool's base job template and the job variables of a run to the configuration of its job. */
import type { ApiClient } from "../../client/index.ts";
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { fillPlaceholders, fromVariables } from "./placeholders.ts";
import { resolveReferences } from "./references.ts";

/** What a job needs to be told to be started, as the pool's template has it. */
export type JobConfiguration = Readonly<Record<string, unknown>>;

export interface JobConfigurationOptions {
  /** Of the pool; one without a configuration takes every job variable as it is. */
  readonly template: JsonObject;
  /** Of the deployment, overlaid with those of the run. */
  readonly variables: JsonObject;
  readonly client: ApiClient;
  /** Of the worker, for `{{ $NAME }}`. */
  readonly env: NodeJS.ProcessEnv;
}

/** Throws `UnknownReferenceError` for a reference to a block that there is not. */
export async function configureJob({
  template,
  variables,
  client,
  env,
}: JobConfigurationOptions): Promise<JobConfiguration> {
  const configuration = object(template["job_configuration"]);
  const given = { ...defaultsOf(template), ...withoutNulls(variables) };
  if (configuration === null) return object(await resolveReferences(given, client)) ?? {};
  // A template that sets variables of the environment itself is added to, not overruled.
  const own = object(configuration["env"]);
  const job = own === null ? configuration : { ...configuration, env: { ...own, ...object(given["env"]) } };
  return object(await resolveReferences(fillPlaceholders(job, fromVariables(given, env)), client)) ?? {};
}

function defaultsOf(template: JsonObject): JsonObject {
  const properties = object(object(template["variables"])?.["properties"]) ?? {};
  const defaults = Object.entries(properties).map(([name, schema]) => [name, object(schema)?.["default"]] as const);
  return Object.fromEntries(defaults.filter(([, value]) => value !== undefined && value !== null));
}

function withoutNulls(variables: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== null && value !== undefined));
}

function object(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
