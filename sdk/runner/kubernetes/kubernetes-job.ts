/** What a job of type "kubernetes" is, read from the configuration that the pool's template gives. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { CannotStartError } from "../cannot-start.ts";
import { directoryIn, wordsOf } from "../container/container-program.ts";
import { environmentOf } from "../process-job.ts";
import { type Json, number, object, text } from "../template/fields.ts";
import type { JobConfiguration } from "../template/job-configuration.ts";

export interface KubernetesJob {
  readonly namespace: string;
  /** As the template has it, filled. */
  readonly manifest: Json;
  /** Null where the manifest has one of its own, or none is given. */
  readonly command: readonly string[] | null;
  /** Whether a command of the user's is started, by the job variable or by the manifest. */
  readonly hasCommand: boolean;
  readonly workingDirectory: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string | null;
  /** Data of the block kubernetes-cluster-config; null for the cluster that the worker finds around itself. */
  readonly clusterConfig: Json | null;
  /** A pod that does not come, or cannot start, is waited for so long. */
  readonly podWatchTimeoutMs: number;
  /** The whole job may take so long; null for as long as it likes. */
  readonly jobWatchTimeoutMs: number | null;
  readonly streamOutput: boolean;
}

const POD_WATCH_TIMEOUT_S = 60;

/** Throws {@link CannotStartError} for a configuration that is not one of a Job. */
export function kubernetesJob(configuration: JobConfiguration, ticket: RunTicket): KubernetesJob {
  const manifest = manifestOf(configuration);
  const command = text(configuration, "command");
  const container = object(containersOf(manifest)[0]) ?? {};
  const jobTimeoutS = number(configuration, "job_watch_timeout_seconds");
  return {
    namespace: text(configuration, "namespace") ?? text(object(manifest["metadata"]) ?? {}, "namespace") ?? "default",
    manifest,
    command: command === null ? null : wordsOf(command),
    hasCommand: command !== null || Array.isArray(container["args"]) || Array.isArray(container["command"]),
    workingDirectory: directoryIn(ticket),
    env: environmentOf(configuration["env"]),
    labels: environmentOf(configuration["labels"]),
    name: text(configuration, "name"),
    clusterConfig: object(configuration["cluster_config"]),
    podWatchTimeoutMs: (number(configuration, "pod_watch_timeout_seconds") ?? POD_WATCH_TIMEOUT_S) * 1_000,
    jobWatchTimeoutMs: jobTimeoutS === null ? null : jobTimeoutS * 1_000,
    streamOutput: configuration["stream_output"] !== false,
  };
}

/** A pool whose template has no manifest gets the plainest one. */
function manifestOf(configuration: JobConfiguration): Json {
  const given = configuration["job_manifest"];
  const manifest =
    given === undefined
      ? {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    name: "prefect-job",
                    image: configuration["image"],
                    imagePullPolicy: configuration["image_pull_policy"],
                  },
                ],
              },
            },
          },
        }
      : object(given);
  if (manifest === null || containersOf(manifest).length === 0) {
    throw new CannotStartError(
      "The job_manifest of the pool's template is no manifest of a Job: it needs spec.template.spec.containers with at least one container.",
    );
  }
  return manifest;
}

export function containersOf(manifest: Json): readonly unknown[] {
  const containers = object(object(object(manifest["spec"])?.["template"])?.["spec"])?.["containers"];
  return Array.isArray(containers) ? containers : [];
}
