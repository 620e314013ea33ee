/** The base job template that a work pool of type "cloud-run-v2" starts with, as the worker of prefect-gcp reads it. */
import { baseJobTemplate } from "./base-job-template.ts";
import { gcpCredentials } from "./credentials.ts";

export const cloudRunV2Template = baseJobTemplate({
  job: {
    credentials: "{{ credentials }}",
    job_body: {
      client: "prefect",
      launchStage: "{{ launch_stage }}",
      template: {
        template: {
          serviceAccount: "{{ service_account_name }}",
          maxRetries: "{{ max_retries }}",
          timeout: "{{ timeout }}",
          vpcAccess: { connector: "{{ vpc_connector_name }}" },
          containers: [
            {
              env: [],
              image: "{{ image }}",
              command: "{{ command }}",
              args: "{{ args }}",
              resources: { limits: { cpu: "{{ cpu }}", memory: "{{ memory }}" } },
            },
          ],
        },
      },
    },
    keep_job: "{{ keep_job }}",
    region: "{{ region }}",
    timeout: "{{ timeout }}",
  },
  variables: {
    credentials: { title: "GCP Credentials", allOf: [{ $ref: "#/definitions/GcpCredentials" }] },
    region: { title: "Region", default: "us-central1", type: "string" },
    image: { title: "Image Name", default: "prefecthq/prefect:3-latest", type: "string" },
    args: { title: "Args", type: "array", items: { type: "string" } },
    keep_job: { title: "Keep Job After Completion", default: false, type: "boolean" },
    launch_stage: {
      title: "Launch Stage",
      default: "BETA",
      enum: [
        "ALPHA",
        "BETA",
        "GA",
        "DEPRECATED",
        "EARLY_ACCESS",
        "PRELAUNCH",
        "UNIMPLEMENTED",
        "LAUNCH_TAG_UNSPECIFIED",
      ],
      type: "string",
    },
    max_retries: { title: "Max Retries", default: 0, type: "integer" },
    cpu: { title: "CPU", default: "1000m", type: "string" },
    memory: { title: "Memory", default: "512Mi", pattern: "^\\d+(?:G|Gi|M|Mi)$", type: "string" },
    timeout: { title: "Job Timeout", default: 600, exclusiveMinimum: 0, maximum: 604800, type: "integer" },
    vpc_connector_name: { title: "VPC Connector Name", type: "string" },
    service_account_name: { title: "Service Account Name", type: "string" },
  },
  definitions: {
    GcpCredentials: gcpCredentials,
  },
});
