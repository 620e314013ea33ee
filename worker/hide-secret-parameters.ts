/**
 * Parameters that a deployment's schema marks secret, hidden from whoever only looks. Those who may run deployments see
 * them: the values are theirs to give, and what runs has to know them.
 */
import { DeploymentId } from "#protocol/ids";
import { secretParametersOf, withoutSecrets } from "#protocol/secret-parameters";
import type { Hidden } from "../durable-objects/run-stream.ts";
import { parameterSchemas } from "./db/queries/deployments.ts";

type Json = Readonly<Record<string, unknown>>;

/** Names of secret parameters; null where nobody knows which are, since the deployment is gone. */
type Secret = ReadonlySet<string> | null;

const NONE: ReadonlySet<string> = new Set();

/** An answer of the API with secret parameters hidden, of deployments, of runs of deployments, and of all that names one. */
export async function hideSecretParameters(env: Env, answer: unknown): Promise<unknown> {
  const named = new Set<DeploymentId>();
  if (!note(answer, named)) return answer;
  return hidden(answer, named.size > 0 ? await secretsOf(env, [...named]) : new Map(), NONE);
}

/** The parameters that runs of a deployment hide from whoever only looks. */
export async function hiddenParametersOf(env: Env, id: DeploymentId): Promise<Hidden> {
  const secret = (await secretsOf(env, [id])).get(id) ?? null;
  return secret === null ? "all" : [...secret];
}

async function secretsOf(env: Env, ids: readonly DeploymentId[]): Promise<ReadonlyMap<DeploymentId, Secret>> {
  const schemas = await parameterSchemas(env, ids);
  return new Map(ids.map((id) => [id, schemas.has(id) ? secretParametersOf(schemas.get(id)) : null]));
}

/** Notes the deployments that are named beside parameters. False where there are no parameters at all. */
function note(value: unknown, named: Set<DeploymentId>): boolean {
  if (Array.isArray(value)) return value.map((one) => note(one, named)).includes(true);
  if (!isObject(value)) return false;
  const has = isObject(value["parameters"]);
  const id = DeploymentId.safeParse(value["deployment_id"]);
  if (has && id.success) named.add(id.data);
  return (
    Object.values(value)
      .map((one) => note(one, named))
      .includes(true) || has
  );
}

/** `around`: of what this is a part of, such as a deployment's schedule. */
function hidden(value: unknown, secretOf: ReadonlyMap<DeploymentId, Secret>, around: Secret): unknown {
  if (Array.isArray(value)) return value.map((one) => hidden(one, secretOf, around));
  if (!isObject(value)) return value;
  const schema = value["parameter_openapi_schema"];
  const id = value["deployment_id"] as DeploymentId;
  const known = secretOf.get(id);
  const secret = isObject(schema) ? secretParametersOf(schema) : known === undefined ? around : known;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (key === "parameter_openapi_schema") return [key, one];
      if (key === "parameters" && isObject(one)) return [key, withoutSecrets(one, secret ?? new Set(Object.keys(one)))];
      return [key, hidden(one, secretOf, secret)];
    }),
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
