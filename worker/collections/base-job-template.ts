/** What a work pool's job template is made of: placeholders, and a schema of the variables that fill them. */

type Json = Readonly<Record<string, unknown>>;

/** The wire form, as `base_job_template` of a work pool. */
export interface BaseJobTemplate {
  readonly job_configuration: Json;
  readonly variables: Json;
}

interface TemplateParts {
  /** Beside the command, the environment, the labels and the name, which every job has. */
  readonly job: Json;
  readonly variables: Json;
  readonly required?: readonly string[];
  readonly definitions?: Json;
}

const textMap = { type: "object", additionalProperties: { type: "string" } };

/** Adds what the jobs of all worker types have in common. */
export function baseJobTemplate({ job, variables, required, definitions }: TemplateParts): BaseJobTemplate {
  return {
    job_configuration: {
      command: "{{ command }}",
      env: "{{ env }}",
      labels: "{{ labels }}",
      name: "{{ name }}",
      ...job,
    },
    variables: {
      type: "object",
      properties: {
        name: { title: "Name", description: "Name of the infrastructure that is made for a run.", type: "string" },
        env: { title: "Environment Variables", description: "Set for the process of the run.", ...textMap },
        labels: { title: "Labels", description: "Put on the infrastructure of the run.", ...textMap },
        command: {
          title: "Command",
          description: "Starts the run. Left out, the worker's own command does.",
          type: "string",
        },
        ...variables,
      },
      ...(required ? { required } : {}),
      ...(definitions ? { definitions } : {}),
    },
  };
}
