/** The base job template that a work pool of type "kubernetes" starts with, as the worker of prefect-kubernetes reads it. */
import { baseJobTemplate } from "./base-job-template.ts";

export const kubernetesTemplate = baseJobTemplate({
  job: {
    namespace: "{{ namespace }}",
    job_manifest: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { labels: "{{ labels }}", namespace: "{{ namespace }}", generateName: "{{ name }}-" },
      spec: {
        backoffLimit: 0,
        ttlSecondsAfterFinished: "{{ finished_job_ttl }}",
        template: {
          spec: {
            parallelism: 1,
            completions: 1,
            restartPolicy: "Never",
            serviceAccountName: "{{ service_account_name }}",
            imagePullSecrets: "{{ image_pull_secrets }}",
            containers: [
              {
                name: "prefect-job",
                env: "{{ env }}",
                image: "{{ image }}",
                imagePullPolicy: "{{ image_pull_policy }}",
                args: "{{ command }}",
                resources: {
                  limits: { cpu: "{{ cpu_limit }}", memory: "{{ memory_limit }}" },
                  requests: { cpu: "{{ cpu_request }}", memory: "{{ memory_request }}" },
                },
              },
            ],
          },
        },
      },
    },
    cluster_config: "{{ cluster_config }}",
    job_watch_timeout_seconds: "{{ job_watch_timeout_seconds }}",
    pod_watch_timeout_seconds: "{{ pod_watch_timeout_seconds }}",
    stream_output: "{{ stream_output }}",
  },
  variables: {
    namespace: { title: "Namespace", default: "default", type: "string" },
    image: { title: "Image", type: "string" },
    service_account_name: { title: "Service Account Name", type: "string" },
    image_pull_policy: {
      title: "Image Pull Policy",
      default: "IfNotPresent",
      enum: ["IfNotPresent", "Always", "Never"],
      type: "string",
    },
    image_pull_secrets: {
      title: "Image Pull Secrets",
      description: "Names of the Secrets with the credentials of registries.",
      type: "array",
      items: { type: "string" },
    },
    finished_job_ttl: { title: "Finished Job TTL", type: "integer" },
    job_watch_timeout_seconds: { title: "Job Watch Timeout Seconds", type: "integer" },
    pod_watch_timeout_seconds: { title: "Pod Watch Timeout Seconds", default: 60, type: "integer" },
    stream_output: { title: "Stream Output", default: true, type: "boolean" },
    cluster_config: { title: "Cluster Config", allOf: [{ $ref: "#/definitions/KubernetesClusterConfig" }] },
    cpu_request: { title: "CPU Request", type: "string" },
    cpu_limit: { title: "CPU Limit", type: "string" },
    memory_request: { title: "Memory Request", type: "string" },
    memory_limit: { title: "Memory Limit", type: "string" },
  },
  definitions: {
    KubernetesClusterConfig: {
      title: "KubernetesClusterConfig",
      type: "object",
      properties: {
        config: { title: "Config", type: "object" },
        context_name: { title: "Context Name", type: "string" },
      },
      required: ["config", "context_name"],
      block_type_slug: "kubernetes-cluster-config",
      secret_fields: [],
      block_schema_references: {},
    },
  },
});
