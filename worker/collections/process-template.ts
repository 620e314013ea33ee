/** The base job template that a work pool of type "process" starts with, as the worker of prefect reads it. */
import { baseJobTemplate } from "./base-job-template.ts";

export const processTemplate = baseJobTemplate({
  job: { stream_output: "{{ stream_output }}", working_dir: "{{ working_dir }}" },
  variables: {
    stream_output: { title: "Stream Output", default: true, type: "boolean" },
    working_dir: { title: "Working Directory", type: "string", format: "path" },
  },
});
