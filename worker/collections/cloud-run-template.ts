/** The base job template that a work pool of type "cloud-run" starts with, as the worker of prefect-gcp reads it. */
import { baseJobTemplate } from "./base-job-template.ts";
import { gcpCredentials } from "./credentials.ts";

export const cloudRunTemplate = baseJobTemplate({
  job: {
    region: "{{ region }}",
    credentials: "{{ credentials }}",
    job_body: {
      apiVersion: "run.googleapis.com/v1",
      kind: "Job",
      metadata: { name: "{{ name }}", annotations: { "run.googleapis.com/launch-stage": "BETA" } },
      spec: {
        template: {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    image: "{{ image }}",
                    command: "{{ command }}",
                    resources: {
                      limits: { cpu: "{{ cpu }}", memory: "{{ memory }}" },
                      requests: { cpu: "{{ cpu }}", memory: "{{ memory }}" },
                    },
                  },
                ],
                timeoutSeconds: "{{ timeout }}",
                serviceAccountName: "{{ service_account_name }}",
              },
            },
          },
          metadata: { annotations: { "run.googleapis.com/vpc-access-connector": "{{ vpc_connector_name }}" } },
        },
      },
    },
    timeout: "{{ timeout }}",
    keep_job: "{{ keep_job }}",
  },
  variables: {
    region: { title: "Region", default: "us-central1", type: "string" },
    credentials: { title: "GCP Credentials", allOf: [{ $ref: "#/definitions/GcpCredentials" }] },
    image: { title: "Image Name", type: "string" },
    cpu: { title: "CPU", pattern: "^(\\d*000)m$", type: "string" },
    memory: { title: "Memory", pattern: "^\\d+(?:G|Gi|M|Mi)$", type: "string" },
    vpc_connector_name: { title: "VPC Connector Name", type: "string" },
    service_account_name: { title: "Service Account Name", type: "string" },
    keep_job: { title: "Keep Job After Completion", default: false, type: "boolean" },
    timeout: { title: "Job Timeout", default: 600, exclusiveMinimum: 0, maximum: 3600, type: "integer" },
  },
  definitions: {
    GcpCredentials: gcpCredentials,
  },
});
