/** From a pool's template and the variables of a run to the configuration of its job. */
import { describe, it } from "vitest";
import { type ApiClient, createClient } from "../../../sdk/client/index.ts";
import type { JsonObject } from "../../../sdk/protocol/flow-runs.ts";
import { configureJob } from "../../../sdk/runner/template/job-configuration.ts";

const missing = { code: "not_found", exception_message: "No such thing.", detail: "", fix: "" };
const client: ApiClient = createClient({
  url: "http://plane.test",
  fetch: async () => Response.json(missing, { status: 404 }),
});
const configure = (template: JsonObject, variables: JsonObject) =>
  configureJob({ template, variables, client, env: { REGION: "eu" } });

describe("the configuration of a job", () => {
  it.for<[what: string, template: JsonObject, variables: JsonObject, job: JsonObject]>([
    [
      "takes the default of a variable that is not given, or is null",
      {
        variables: { properties: { image: { default: "node:24" }, size: { default: 1 }, none: { default: null } } },
        job_configuration: { image: "{{ image }}", size: "{{ size }}", none: "{{ none }}" },
      },
      { image: null, size: 2 },
      { image: "node:24", size: 2 },
    ],
    [
      "adds variables of the environment to those of the template, which they overrule",
      { job_configuration: { env: { A: "own", B: "own" } } },
      { env: { B: "given", C: "given" } },
      { env: { A: "own", B: "given", C: "given" } },
    ],
    ["is the variables themselves where the template has none", {}, { command: "x" }, { command: "x" }],
    ["knows the worker's environment", { job_configuration: { in: "{{ $REGION }}" } }, {}, { in: "eu" }],
    [
      "leaves out a variable of the control plane that there is not",
      { job_configuration: { a: "{{ prefect.variables.none }}", b: 1 } },
      {},
      { b: 1 },
    ],
  ])("%s", async ([, template, variables, job], { expect }) => {
    expect(await configure(template, variables)).toEqual(job);
  });

  it("is refused with a block that there is not", async ({ expect }) => {
    const template = { job_configuration: { key: "{{ prefect.blocks.secret.none }}" } };
    await expect(configure(template, {})).rejects.toThrow('There is no block "none" of type "secret"');
  });
});
