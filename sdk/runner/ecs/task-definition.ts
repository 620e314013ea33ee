/** The task definition that a job needs: made of its template, and held against one that is there already. Pure. */
import { CannotStartError } from "../cannot-start.ts";
import { imageIsMissing } from "../container/container-program.ts";
import { type Json, object, text } from "../template/fields.ts";
import type { EcsJob } from "./ecs-job.ts";

export const DEFAULT_CONTAINER = "sluice";
const DEFAULT_CPU = "1024";
const DEFAULT_MEMORY_MIB = "2048";
const DEFAULT_LOG_GROUP = "sluice";
/** What ECS adds to a definition when it is registered. */
const ADDED = new Set([
  "taskDefinitionArn",
  "revision",
  "status",
  "requiresAttributes",
  "compatibilities",
  "registeredAt",
  "registeredBy",
  "deregisteredAt",
]);
/** What ECS says of a container that said nothing. */
const DEFAULTS: Json = { essential: true, cpu: 0, networkMode: "bridge" };

/** Throws {@link CannotStartError} for one that ECS cannot have. */
export function taskDefinition(job: EcsJob, region: string, defaultFamily: string): Json {
  const { definition } = job;
  const given = definition["containerDefinitions"];
  const containers: readonly Json[] = (Array.isArray(given) ? given : []).map((one) => object(one) ?? {});
  const name = runContainer(job, containers) ?? DEFAULT_CONTAINER;
  // The template's only container may have no name.
  const index = Math.max(
    0,
    containers.findIndex((one) => text(one, "name") === name),
  );
  const own = containers[index] ?? {};
  if (text(own, "image") === null) return imageIsMissing();
  const run: Json = {
    ...own,
    name,
    essential: true,
    ...(job.workingDirectory === null ? {} : { workingDirectory: job.workingDirectory }),
    ...(job.logs === null || own["logConfiguration"] !== undefined ? {} : { logConfiguration: awslogs(job, region) }),
  };
  if (job.logs !== null && text(definition, "executionRoleArn") === null) {
    throw new CannotStartError(
      'Output goes to CloudWatch only by an execution role. Set the job variable "execution_role_arn", or turn stream_output and configure_cloudwatch_logs off.',
    );
  }
  const fargate = isFargate(job);
  const others = containers.filter((_, at) => at !== index);
  return {
    ...definition,
    family: familyName(text(definition, "family") ?? defaultFamily),
    cpu: asText(definition["cpu"]) ?? DEFAULT_CPU,
    memory: asText(definition["memory"]) ?? DEFAULT_MEMORY_MIB,
    ...(fargate ? { requiresCompatibilities: ["FARGATE"], networkMode: "awsvpc" } : {}),
    containerDefinitions: [run, ...others],
  };
}

/** The name of the container that is the run, of those that a definition has; null when there is none. */
export function runContainer({ containerName }: EcsJob, containers: readonly Json[]): string | null {
  const names = containers.map((one) => text(one, "name")).filter((name) => name !== null);
  if (containerName !== null) return containerName;
  return names.find((name) => name === DEFAULT_CONTAINER || name === "prefect") ?? names[0] ?? null;
}

export function isFargate({ request }: EcsJob): boolean {
  const strategy = request["capacityProviderStrategy"];
  const providers = (Array.isArray(strategy) ? strategy : []).map((one) => text(object(one) ?? {}, "capacityProvider"));
  if (providers.length > 0) return providers.every((provider) => provider?.startsWith("FARGATE"));
  return (text(request, "launchType") ?? "FARGATE").startsWith("FARGATE");
}

/** Whether a definition that is registered is what is wanted, apart from what ECS adds. */
export function isSameDefinition(wanted: unknown, registered: unknown): boolean {
  if (Array.isArray(wanted) && Array.isArray(registered)) {
    return wanted.length === registered.length && wanted.every((one, at) => isSameDefinition(one, registered[at]));
  }
  const [here, there] = [object(wanted), object(registered)];
  if (here === null || there === null) return wanted === registered;
  const keys = new Set([...Object.keys(here), ...Object.keys(there)]);
  return [...keys].every((key) => {
    if (ADDED.has(key)) return true;
    const [value, found] = [here[key] ?? DEFAULTS[key], there[key] ?? DEFAULTS[key]];
    return (isNothing(value) && isNothing(found)) || isSameDefinition(value, found);
  });
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function awslogs({ logs }: EcsJob, region: string): Json {
  return {
    logDriver: "awslogs",
    options: {
      "awslogs-create-group": "true",
      "awslogs-group": DEFAULT_LOG_GROUP,
      "awslogs-region": region,
      "awslogs-stream-prefix": logs?.prefix,
      ...logs?.options,
    },
  };
}

function familyName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]+/g, "-").slice(0, 255);
}

function asText(value: unknown): string | null {
  return value === undefined || value === null || value === "" ? null : String(value);
}
