/** The base job template that a work pool of type "azure-container-instance" starts with, as the worker of prefect-azure reads it. */
import { baseJobTemplate } from "./base-job-template.ts";
import { dockerRegistryCredentials } from "./credentials.ts";

export const azureContainerInstanceTemplate = baseJobTemplate({
  job: {
    image: "{{ image }}",
    resource_group_name: "{{ resource_group_name }}",
    subscription_id: "{{ subscription_id }}",
    identities: "{{ identities }}",
    entrypoint: "{{ entrypoint }}",
    image_registry: "{{ image_registry }}",
    cpu: "{{ cpu }}",
    gpu_count: "{{ gpu_count }}",
    gpu_sku: "{{ gpu_sku }}",
    memory: "{{ memory }}",
    subnet_ids: "{{ subnet_ids }}",
    dns_servers: "{{ dns_servers }}",
    stream_output: "{{ stream_output }}",
    aci_credentials: "{{ aci_credentials }}",
    task_start_timeout_seconds: "{{ task_start_timeout_seconds }}",
    task_watch_poll_interval: "{{ task_watch_poll_interval }}",
    arm_template: {
      $schema: "https://schema.management.azure.com/schemas/2019-08-01/deploymentTemplate.json#",
      contentVersion: "1.0.0.0",
      parameters: {
        location: {
          type: "string",
          defaultValue: "[resourceGroup().location]",
          metadata: { description: "Location for all resources." },
        },
        container_group_name: {
          type: "string",
          defaultValue: "[uniqueString(resourceGroup().id)]",
          metadata: { description: "The name of the container group to create." },
        },
        container_name: {
          type: "string",
          defaultValue: "[uniqueString(resourceGroup().id)]",
          metadata: { description: "The name of the container to create." },
        },
      },
      resources: [
        {
          type: "Microsoft.ContainerInstance/containerGroups",
          apiVersion: "2022-09-01",
          name: "[parameters('container_group_name')]",
          location: "[parameters('location')]",
          properties: {
            containers: [
              {
                name: "[parameters('container_name')]",
                properties: {
                  image: "{{ image }}",
                  command: "{{ command }}",
                  resources: { requests: { cpu: "{{ cpu }}", memoryInGB: "{{ memory }}" } },
                  environmentVariables: [],
                },
              },
            ],
            osType: "Linux",
            restartPolicy: "Never",
          },
        },
      ],
    },
  },
  variables: {
    image: { title: "Image", type: "string" },
    resource_group_name: { title: "Azure Resource Group Name", type: "string" },
    subscription_id: { title: "Azure Subscription ID", type: "string", writeOnly: true, format: "password" },
    identities: { title: "Identities", type: "array", items: { type: "string" } },
    entrypoint: { title: "Entrypoint", default: "/opt/prefect/entrypoint.sh", type: "string" },
    image_registry: {
      title: "Image Registry (Optional)",
      anyOf: [{ $ref: "#/definitions/DockerRegistryCredentials" }, { $ref: "#/definitions/ACRManagedIdentity" }],
    },
    cpu: { title: "CPU", default: 1.0, type: "number" },
    gpu_count: { title: "GPU Count", type: "integer" },
    gpu_sku: { title: "GPU SKU", type: "string" },
    memory: { title: "Memory", default: 1.0, type: "number" },
    subnet_ids: { title: "Subnet IDs", type: "array", items: { type: "string" } },
    dns_servers: { title: "DNS Servers", type: "array", items: { type: "string" } },
    aci_credentials: { title: "Aci Credentials", allOf: [{ $ref: "#/definitions/AzureContainerInstanceCredentials" }] },
    stream_output: { title: "Stream Output", default: false, type: "boolean" },
    task_start_timeout_seconds: { title: "Task Start Timeout Seconds", default: 240, type: "integer" },
    task_watch_poll_interval: { title: "Task Watch Poll Interval", default: 5.0, type: "number" },
  },
  required: ["resource_group_name", "subscription_id"],
  definitions: {
    DockerRegistryCredentials: dockerRegistryCredentials,
    ACRManagedIdentity: {
      title: "ACRManagedIdentity",
      type: "object",
      properties: {
        registry_url: { title: "Registry URL", type: "string" },
        identity: { title: "Identity", type: "string" },
      },
      required: ["registry_url", "identity"],
    },
    AzureContainerInstanceCredentials: {
      title: "AzureContainerInstanceCredentials",
      type: "object",
      properties: {
        client_id: { title: "Client ID", type: "string" },
        tenant_id: { title: "Tenant ID", type: "string" },
        client_secret: { title: "Client Secret", type: "string", writeOnly: true, format: "password" },
        credential_kwargs: { title: "Additional Credential Keyword Arguments", type: "object" },
      },
      block_type_slug: "azure-container-instance-credentials",
      secret_fields: ["client_secret"],
      block_schema_references: {},
    },
  },
});
