/** What ECS is asked for by "RunTask". Pure. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { EXECUTE } from "../container/container-program.ts";
import { environmentOf } from "../process-job.ts";
import { type Json, object, text } from "../template/fields.ts";
import type { EcsJob } from "./ecs-job.ts";

export interface RequestParts {
  readonly ticket: RunTicket;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the task definition. */
  readonly arn: string;
  readonly container: string;
  /** As "awsvpcConfiguration" has it; null for a task that has the network of its machine, or of its request. */
  readonly network: Json | null;
}

const MOST_TAGS = 50;
const SPOT = "FARGATE_SPOT";

export function runRequest(job: EcsJob, { ticket, environment, arn, container, network }: RequestParts): Json {
  const { overrides, tags: ownTags, launchType: _, capacityProviderStrategy: __, ...rest } = job.request;
  const { containerOverrides, cpu, memory, ...ownOverrides } = object(overrides) ?? {};
  const own: readonly Json[] = (Array.isArray(containerOverrides) ? containerOverrides : []).map(
    (one) => object(one) ?? {},
  );
  const isRun = (one: Json): boolean => (text(one, "name") ?? container) === container;
  const run = own.find(isRun) ?? {};
  return {
    ...rest,
    ...(network === null ? {} : { networkConfiguration: { awsvpcConfiguration: network } }),
    ...capacity(job),
    ...(job.cluster === null ? {} : { cluster: job.cluster }),
    taskDefinition: arn,
    count: 1,
    startedBy: text(rest, "startedBy") ?? `sluice/${ticket.flow_run_id}`,
    overrides: {
      ...ownOverrides,
      ...numberAsText({ cpu, memory }),
      containerOverrides: [
        {
          ...run,
          ...numbers(run),
          name: container,
          command: job.command ?? run["command"] ?? EXECUTE,
          environment: environmentList(run["environment"], environment),
        },
        ...own.filter((one) => !isRun(one)),
      ],
    },
    tags: tagsOf(ownTags, job.labels, ticket),
  };
}

/** ECS takes a launch type or a strategy, and spot capacity of Fargate by a strategy only. */
function capacity({ request }: EcsJob): Json {
  const strategy = request["capacityProviderStrategy"];
  if (Array.isArray(strategy) && strategy.length > 0) return { capacityProviderStrategy: strategy };
  const type = text(request, "launchType") ?? "FARGATE";
  return type === SPOT
    ? { capacityProviderStrategy: [{ capacityProvider: SPOT, weight: 1, base: 0 }] }
    : { launchType: type };
}

function environmentList(own: unknown, ours: Readonly<Record<string, string>>): Json[] {
  const kept = Array.isArray(own) ? own.map((one) => object(one) ?? {}) : [];
  return [
    ...kept.filter((one) => !Object.hasOwn(ours, String(one["name"]))),
    ...Object.entries(ours).map(([name, value]) => ({ name, value })),
  ];
}

/** Of a task they are texts, of a container numbers. */
function numberAsText(given: Json): Json {
  const set = Object.entries(given).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

function numbers({ cpu, memory }: Json): Json {
  const set = Object.entries({ cpu, memory }).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return Object.fromEntries(set.map(([name, value]) => [name, Number(value)]));
}

function tagsOf(own: unknown, labels: Readonly<Record<string, string>>, ticket: RunTicket): Json[] {
  const listed = Array.isArray(own)
    ? own.map((one) => [text(object(one) ?? {}, "key") ?? "", text(object(one) ?? {}, "value") ?? ""] as const)
    : Object.entries(environmentOf(own));
  const all = {
    "sluice.flow-run-id": ticket.flow_run_id,
    "sluice.flow-run-name": ticket.name,
    ...(ticket.deployment_id === null ? {} : { "sluice.deployment-id": ticket.deployment_id }),
    ...Object.fromEntries(listed),
    ...labels,
  };
  const allowed = Object.entries(all).map(([key, value]) => ({
    key: allowedText(key).slice(0, 128),
    value: allowedText(value).slice(0, 256),
  }));
  return allowed.filter(({ key }) => key !== "" && !/^aws:/i.test(key)).slice(0, MOST_TAGS);
}

function allowedText(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]+/gu, "-").trim();
}
