import * as api from "#protocol/deployment-versions";
import { notFound } from "#protocol/errors";
import type { DeploymentId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import * as versions from "../db/queries/deployment-versions.ts";
import { changeDeployment, deploymentById } from "../db/queries/deployments.ts";
import { reschedule } from "../scheduling/reschedule.ts";
import { type App, serve } from "../serve.ts";

export function deploymentVersionRoutes(app: App): void {
  serve(
    app,
    api.readDeploymentVersions,
  )(async ({ env, params, query }) => {
    if (!(await deploymentById(env, params.id))) throw notFound("Deployment", params.id);
    return versions.listVersions(env, params.id, { limit: query.limit ?? LIMITS.pageRows, offset: query.offset ?? 0 });
  });
  serve(app, api.readDeploymentVersion)(({ env, params }) => requireVersion(env, params.id, params.number));
  serve(
    app,
    api.restoreDeploymentVersion,
  )(async ({ env, params: { id, number } }) => {
    const { details, ...place } = (await requireVersion(env, id, number)).content;
    if (!(await changeDeployment(env, id, { ...details, ...place }))) throw notFound("Deployment", id);
    await reschedule(env, id);
    const deployment = await deploymentById(env, id);
    if (!deployment) throw notFound("Deployment", id);
    return deployment;
  });
}

async function requireVersion(env: Env, id: DeploymentId, number: number): Promise<api.DeploymentVersion> {
  const version = await versions.versionOf(env, id, number);
  if (!version) throw notFound("Deployment version", `${number} of deployment ${id}`);
  return version;
}
