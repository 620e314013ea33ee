/** The types of workers that Prefect's packages bring, with what their work pools start with. */

import { azureContainerInstanceTemplate } from "./azure-container-instance-template.ts";
import type { BaseJobTemplate } from "./base-job-template.ts";
import { cloudRunTemplate } from "./cloud-run-template.ts";
import { cloudRunV2Template } from "./cloud-run-v2-template.ts";
import { dockerTemplate } from "./docker-template.ts";
import { ecsTemplate } from "./ecs-template.ts";
import { httpTemplate } from "./http-template.ts";
import { kubernetesTemplate } from "./kubernetes-template.ts";
import { processTemplate } from "./process-template.ts";
import { vertexAiTemplate } from "./vertex-ai-template.ts";

interface WorkerType {
  /** The package that has the worker: of Python, or ours. */
  readonly package: string;
  readonly type: string;
  readonly displayName: string;
  readonly description: string;
  readonly template: BaseJobTemplate;
}

const WORKER_TYPES: readonly WorkerType[] = [
  {
    package: "prefect",
    type: "process",
    displayName: "Process",
    description: "Runs each flow run as a process on the machine of the worker.",
    template: processTemplate,
  },
  {
    package: "prefect-aws",
    type: "ecs",
    displayName: "AWS Elastic Container Service",
    description: "Runs each flow run as a task of Amazon ECS, on Fargate or EC2.",
    template: ecsTemplate,
  },
  {
    package: "prefect-azure",
    type: "azure-container-instance",
    displayName: "Azure Container Instances",
    description: "Runs each flow run in a container group of Azure Container Instances.",
    template: azureContainerInstanceTemplate,
  },
  {
    package: "prefect-docker",
    type: "docker",
    displayName: "Docker",
    description: "Runs each flow run in a container of a Docker daemon that the worker reaches.",
    template: dockerTemplate,
  },
  {
    package: "prefect-gcp",
    type: "cloud-run",
    displayName: "Google Cloud Run",
    description: "Runs each flow run as a job of Google Cloud Run.",
    template: cloudRunTemplate,
  },
  {
    package: "prefect-gcp",
    type: "cloud-run-v2",
    displayName: "Google Cloud Run V2",
    description: "Runs each flow run as a job of Google Cloud Run, by its second API.",
    template: cloudRunV2Template,
  },
  {
    package: "prefect-gcp",
    type: "vertex-ai",
    displayName: "Google Vertex AI",
    description: "Runs each flow run as a custom job of Vertex AI.",
    template: vertexAiTemplate,
  },
  {
    package: "prefect-kubernetes",
    type: "kubernetes",
    displayName: "Kubernetes",
    description: "Runs each flow run as a job of a Kubernetes cluster.",
    template: kubernetesTemplate,
  },
  {
    package: "sluice",
    type: "http",
    displayName: "HTTP",
    description: "Pushes each flow run as a signed request to a URL, where serveFlows() executes it. Needs no worker.",
    template: httpTemplate,
  },
];

/** The view "aggregate-worker-metadata": by package, then by type. */
export function workerMetadata(): Record<string, Record<string, unknown>> {
  const byPackage: Record<string, Record<string, unknown>> = {};
  for (const worker of WORKER_TYPES) {
    byPackage[worker.package] = {
      ...byPackage[worker.package],
      [worker.type]: {
        type: worker.type,
        display_name: worker.displayName,
        description: worker.description,
        install_command: `${worker.package === "sluice" ? "npm" : "pip"} install ${worker.package}`,
        is_beta: false,
        documentation_url: null,
        logo_url: null,
        default_base_job_configuration: worker.template,
      },
    };
  }
  return byPackage;
}
