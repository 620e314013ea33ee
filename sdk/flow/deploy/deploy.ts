/** Several deployments at once, for the workers of a pool. */
import type { DeploymentId } from "../../protocol/ids.ts";
import { type DeploymentPlace, deployPlanned, type PlannedDeployment, planDeployment } from "./deployment.ts";

/** Where the runs of all of them are executed, as far as a deployment does not say it itself. */
export type DeployAllOptions = Partial<Omit<DeploymentPlace, "entrypoint">>;

/**
 * Makes or changes deployments whose runs the workers of a pool execute, and answers their ids in the same order:
 * `deploy([etl.toDeployment({ name: "daily", entrypoint: "flows/etl.ts:etl" })], { workPool: "prod" })`. What a deployment
 * says itself comes first; job variables are put together.
 *
 * Throws TypeError, before anything is sent, for one without a pool or an entrypoint. Throws `SluiceError` where there is
 * no control plane, or where it refuses a deployment; those before it in the list are made then.
 */
export async function deploy(
  deployments: PlannedDeployment | readonly PlannedDeployment[],
  options: DeployAllOptions = {},
): Promise<DeploymentId[]> {
  const planned = ("flow" in deployments ? [deployments] : deployments).map((one) => placed(one, options));
  const ids: DeploymentId[] = [];
  for (const one of planned) ids.push(await deployPlanned(one));
  return ids;
}

function placed({ flow, options: own }: PlannedDeployment, common: DeployAllOptions): PlannedDeployment {
  const variables = { ...common.jobVariables, ...own.jobVariables };
  const options = { ...common, ...own, jobVariables: variables };
  const missing = options.workPool ? (options.entrypoint ? null : "entrypoint") : "workPool";
  if (missing !== null) {
    const fix =
      missing === "workPool"
        ? 'deploy([…], { workPool: "prod" }), or toDeployment({ workPool })'
        : 'toDeployment({ entrypoint: "path/file.ts:exportName" })';
    throw new TypeError(`Deployment "${flow.name}/${own.name}" has no "${missing}". Give it: ${fix}.`);
  }
  return planDeployment(flow, options);
}
