/** Finds a schedule of a deployment by what people call it: its slug or its id. */
import type { ApiClient } from "../client/api-client.ts";
import { type Deployment, type DeploymentSchedule, readDeploymentByName } from "../protocol/deployments.ts";
import type { DeploymentName } from "./deployment-name.ts";
import { CliError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { type Parameter, required, text } from "./parameters.ts";

export function scheduleArgument(): Parameter<string> {
  return required(text("Slug or id of the schedule.", { placeholder: "schedule" }));
}

/** Fails when the deployment has no schedule of this slug or id. */
export async function scheduleOf(
  client: ApiClient,
  which: DeploymentName,
  schedule: string,
): Promise<{ deployment: Deployment; schedule: DeploymentSchedule }> {
  const deployment = await client.call(readDeploymentByName, { params: which });
  const found = deployment.schedules.find(({ id, slug }) => slug === schedule || id === schedule);
  if (found) return { deployment, schedule: found };
  throw new CliError(`Deployment ${which.flow}/${which.deployment} has no schedule "${schedule}".`, {
    fix: `Look at what there is: sluice schedule ls ${which.flow}/${which.deployment}`,
    code: "not_found",
    exitCode: EXIT.notFound,
  });
}
