/** The base job template that a work pool of type "docker" starts with, as the worker of prefect-docker reads it. */
import { baseJobTemplate } from "./base-job-template.ts";
import { dockerRegistryCredentials } from "./credentials.ts";

export const dockerTemplate = baseJobTemplate({
  job: {
    image: "{{ image }}",
    registry_credentials: "{{ registry_credentials }}",
    image_pull_policy: "{{ image_pull_policy }}",
    networks: "{{ networks }}",
    network_mode: "{{ network_mode }}",
    auto_remove: "{{ auto_remove }}",
    volumes: "{{ volumes }}",
    stream_output: "{{ stream_output }}",
    container_wait_timeout: "{{ container_wait_timeout }}",
    mem_limit: "{{ mem_limit }}",
    memswap_limit: "{{ memswap_limit }}",
    // Beyond Prefect's, whose workers pass over it.
    cpus: "{{ cpus }}",
    privileged: "{{ privileged }}",
  },
  variables: {
    image: { title: "Image", type: "string" },
    registry_credentials: {
      title: "Registry Credentials",
      allOf: [{ $ref: "#/definitions/DockerRegistryCredentials" }],
    },
    image_pull_policy: {
      title: "Image Pull Policy",
      enum: ["IfNotPresent", "Always", "IfPossible", "Never"],
      type: "string",
    },
    networks: { title: "Networks", type: "array", items: { type: "string" } },
    network_mode: { title: "Network Mode", type: "string" },
    auto_remove: { title: "Auto Remove", default: false, type: "boolean" },
    volumes: { title: "Volumes", type: "array", items: { type: "string" } },
    stream_output: { title: "Stream Output", default: true, type: "boolean" },
    container_wait_timeout: { title: "Container Wait Timeout", exclusiveMinimum: 0, type: "integer" },
    mem_limit: { title: "Memory Limit", type: "string" },
    memswap_limit: { title: "Memory Swap Limit", type: "string" },
    cpus: { title: "CPUs", description: "How many the container may use, such as 0.5.", type: "number" },
    privileged: { title: "Privileged", default: false, type: "boolean" },
  },
  definitions: {
    DockerRegistryCredentials: dockerRegistryCredentials,
  },
});
