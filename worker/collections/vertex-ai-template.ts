/** The base job template that a work pool of type "vertex-ai" starts with, as the worker of prefect-gcp reads it. */
import { baseJobTemplate } from "./base-job-template.ts";
import { gcpCredentials } from "./credentials.ts";

export const vertexAiTemplate = baseJobTemplate({
  job: {
    region: "{{ region }}",
    credentials: "{{ credentials }}",
    job_spec: {
      service_account_name: "{{ service_account_name }}",
      network: "{{ network }}",
      reserved_ip_ranges: "{{ reserved_ip_ranges }}",
      maximum_run_time_hours: "{{ maximum_run_time_hours }}",
      worker_pool_specs: [
        {
          replica_count: 1,
          container_spec: { image_uri: "{{ image }}", command: "{{ command }}", args: [] },
          machine_spec: {
            machine_type: "{{ machine_type }}",
            accelerator_type: "{{ accelerator_type }}",
            accelerator_count: "{{ accelerator_count }}",
          },
          disk_spec: { boot_disk_type: "{{ boot_disk_type }}", boot_disk_size_gb: "{{ boot_disk_size_gb }}" },
        },
      ],
    },
    job_watch_poll_interval: "{{ job_watch_poll_interval }}",
  },
  variables: {
    region: { title: "Region", type: "string" },
    image: { title: "Image Name", type: "string" },
    credentials: { title: "GCP Credentials", allOf: [{ $ref: "#/definitions/GcpCredentials" }] },
    machine_type: { title: "Machine Type", default: "n1-standard-4", type: "string" },
    accelerator_type: { title: "Accelerator Type", type: "string" },
    accelerator_count: { title: "Accelerator Count", type: "integer" },
    boot_disk_type: { title: "Boot Disk Type", default: "pd-ssd", type: "string" },
    boot_disk_size_gb: { title: "Boot Disk Size (GB)", default: 100, type: "integer" },
    maximum_run_time_hours: { title: "Maximum Run Time (Hours)", default: 1, type: "integer" },
    network: { title: "Network", type: "string" },
    reserved_ip_ranges: { title: "Reserved IP Ranges", type: "array", items: { type: "string" } },
    service_account_name: { title: "Service Account Name", type: "string" },
    job_watch_poll_interval: { title: "Poll Interval (Seconds)", default: 5.0, type: "number" },
  },
  required: ["region", "image"],
  definitions: {
    GcpCredentials: gcpCredentials,
  },
});
