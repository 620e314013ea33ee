/** The base job template that a work pool of type "http" starts with: its runs are pushed, and no worker reads it. */
import type { BaseJobTemplate } from "./base-job-template.ts";

export const httpTemplate: BaseJobTemplate = {
  job_configuration: { url: "{{ url }}", headers: "{{ headers }}", api_url: "{{ api_url }}" },
  variables: {
    type: "object",
    properties: {
      url: {
        title: "URL",
        description: "Where runs are pushed to: the address of a serveFlows() handler.",
        type: "string",
      },
      headers: {
        title: "Headers",
        description: "Sent with each push. They are no secrets: whoever may read the work pool sees them.",
        type: "object",
        additionalProperties: { type: "string" },
      },
      api_url: {
        title: "API URL",
        description: "Address of this control plane as the target reaches it. Default: what the target is told itself.",
        type: "string",
      },
    },
    required: ["url"],
  },
};
