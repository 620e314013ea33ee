/** The Job that the API is asked for, and the Secret with the run's key beside it. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { EXECUTE, imageIsMissing, type RemoteEnvironment } from "../container/container-program.ts";
import { environmentOf } from "../process-job.ts";
import { type Json, object, text } from "../template/fields.ts";
import { containersOf, type KubernetesJob } from "./kubernetes-job.ts";
import { labelsOf } from "./kubernetes-names.ts";

/** The entry of the Secret. */
const KEY = "api-key";
/** Prefect's own template has these beside the containers, where the API knows no such fields. */
const OF_THE_JOB = ["parallelism", "completions"];

/** By these the pods of a Job, and the Jobs of a run, are found. */
export const LABEL = {
  job: "sluice.job",
  flowRunId: "sluice.flow-run-id",
  generation: "sluice.generation",
} as const;

export interface ManifestParts {
  /** Of the Job, and of its Secret. */
  readonly name: string;
  readonly ticket: RunTicket;
  readonly environment: RemoteEnvironment;
}

/** Throws `CannotStartError` for a Job without an image. */
export function jobManifest(job: KubernetesJob, { name, ticket, environment }: ManifestParts): Json {
  const { metadata, spec, ...rest } = job.manifest;
  const { generateName: _, labels: own, ...meta } = object(metadata) ?? {};
  const { template, ...jobSpec } = object(spec) ?? {};
  const { metadata: podMeta, spec: podSpec, ...templateRest } = object(template) ?? {};
  const ours = ourLabels(name, ticket);
  const labels = { ...labelsOf({ ...environmentOf(own), ...job.labels }), ...ours };
  const pod = object(podSpec) ?? {};
  return {
    ...rest,
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ...meta, name, namespace: job.namespace, labels },
    spec: {
      backoffLimit: 0,
      ...Object.fromEntries(OF_THE_JOB.filter((field) => field in pod).map((field) => [field, pod[field]])),
      ...jobSpec,
      template: {
        ...templateRest,
        metadata: {
          ...object(podMeta),
          labels: { ...environmentOf(object(podMeta)?.["labels"]), ...labels },
        },
        spec: {
          restartPolicy: "Never",
          ...withoutJobFields(pod),
          ...pullSecrets(pod),
          containers: containersOf(job.manifest).map((container, index) =>
            index === 0 ? runContainer(object(container) ?? {}, job, name, environment) : container,
          ),
        },
      },
    },
  };
}

export function secretManifest(name: string, job: KubernetesJob, ticket: RunTicket, apiKey: string): Json {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: job.namespace, labels: ourLabels(name, ticket) },
    type: "Opaque",
    stringData: { [KEY]: apiKey },
  };
}

/** The name of the container that is the run. */
export function containerName(manifest: Json): string {
  return text(object(containersOf(manifest)[0]) ?? {}, "name") ?? "prefect-job";
}

function ourLabels(name: string, ticket: RunTicket): Record<string, string> {
  return {
    ...labelsOf({
      "sluice.flow-run-name": ticket.name,
      ...(ticket.deployment_id === null ? {} : { "sluice.deployment-id": ticket.deployment_id }),
    }),
    [LABEL.job]: name,
    [LABEL.flowRunId]: ticket.flow_run_id,
    [LABEL.generation]: String(ticket.generation),
  };
}

function runContainer(container: Json, job: KubernetesJob, secret: string, environment: RemoteEnvironment): Json {
  if (text(container, "image") === null) return imageIsMissing();
  const { args, env, ...rest } = container;
  const words = job.command ?? (job.hasCommand ? args : EXECUTE);
  return {
    ...rest,
    name: text(container, "name") ?? "prefect-job",
    ...(words === undefined ? {} : { args: words }),
    ...(job.workingDirectory === null ? {} : { workingDir: job.workingDirectory }),
    env: environmentList(env, secret, environment),
  };
}

/** A list, as Kubernetes has it, may stand in the manifest and take values from Secrets; ours come after it. */
function environmentList(own: unknown, secret: string, { variables, keyNames }: RemoteEnvironment): Json[] {
  const set = new Set([...Object.keys(variables), ...keyNames]);
  const kept = Array.isArray(own) ? own.filter((entry) => !set.has(String(object(entry)?.["name"]))) : [];
  const plain = Object.entries(variables).filter(([name]) => !keyNames.includes(name));
  return [
    ...kept,
    ...plain.map(([name, value]) => ({ name, value })),
    ...keyNames.map((name) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: KEY } } })),
  ];
}

function withoutJobFields(pod: Json): Json {
  return Object.fromEntries(Object.entries(pod).filter(([field]) => !OF_THE_JOB.includes(field)));
}

/** Names of secrets are easier to write than Kubernetes' list of objects. */
function pullSecrets({ imagePullSecrets: given }: Json): Json {
  if (!Array.isArray(given)) return {};
  return { imagePullSecrets: given.map((secret) => (typeof secret === "string" ? { name: secret } : secret)) };
}
