import * as api from "#protocol/deployments";
import { notFound, SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { LIMITS } from "#protocol/limits";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import type { RunPlacement } from "../../durable-objects/flow-run-owner.ts";
import { checkParameters } from "../check-parameters.ts";
import { createFlowRun, requireFlow } from "../create-flow-run.ts";
import * as queries from "../db/queries/deployments.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function deploymentRoutes(app: App): void {
  serve(
    app,
    api.createDeployment,
  )(async ({ env, body }) => {
    await requireFlow(env, body.flow_id);
    const { deployment, created } = await queries.upsertDeployment(env, body);
    return withStatus(deployment, created ? 201 : 200);
  });
  serve(
    app,
    api.filterDeployments,
  )(({ env, body }) =>
    queries.listDeployments(env, body, {
      sort: body.sort ?? "NAME_ASC",
      limit: body.limit ?? LIMITS.pageRows,
      offset: body.offset ?? 0,
    }),
  );
  serve(app, api.countDeployments)(({ env, body }) => queries.countDeployments(env, body));
  serve(
    app,
    api.readDeploymentByName,
  )(async ({ env, params }) => {
    const deployment = await queries.deploymentByName(env, params.flow, params.deployment);
    if (!deployment) throw notFound("Deployment", `"${params.flow}/${params.deployment}"`);
    return deployment;
  });
  serve(
    app,
    api.readDeployment,
  )(async ({ env, params }) => {
    const deployment = await queries.deploymentById(env, params.id);
    if (!deployment) throw notFound("Deployment", params.id);
    return deployment;
  });
  serve(
    app,
    api.updateDeployment,
  )(async ({ env, params, body }) => {
    if (!(await queries.changeDeployment(env, params.id, body))) throw notFound("Deployment", params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteDeployment,
  )(async ({ env, params }) => {
    if (!(await queries.deleteDeployment(env, params.id))) throw notFound("Deployment", params.id);
    return undefined;
  });
  serve(
    app,
    api.createFlowRunFromDeployment,
  )(async ({ env, params, body }) => {
    const deployment = await queries.runnableDeployment(env, params.id, body.work_queue_name ?? null);
    if (!deployment) throw notFound("Deployment", params.id);
    const { details } = deployment;
    const parameters = { ...details.parameters, ...body.parameters };
    if (body.enforce_parameter_schema ?? details.enforce_parameter_schema) {
      checkParameters(parameters, details.parameter_openapi_schema);
    }
    const { state, name, enforce_parameter_schema: _, ...rest } = body;
    const { run, created } = await createFlowRun(env, {
      name: name ?? null,
      request: {
        ...rest,
        flow_id: deployment.flowId,
        deployment_id: deployment.id,
        parameters,
        tags: [...new Set([...deployment.tags, ...body.tags])],
        labels: { ...details.labels, ...body.labels },
        job_variables: body.job_variables ?? null,
      },
      state: state ?? SCHEDULED_NOW,
      deploymentVersion: details.version,
      createdBy: null,
      autoScheduled: false,
      placement: placementOf(deployment, body.work_queue_name, body.job_variables),
    });
    return withStatus(run, created ? 201 : 200);
  });
}

const SCHEDULED_NOW: StateCreate = {
  type: "SCHEDULED",
  name: null,
  message: null,
  data: null,
  state_details: NO_DETAILS,
};

/** Where the run is executed: the deployment's pool, and its queue unless the request names another. */
function placementOf(
  { pool, queue, details }: queries.RunnableDeployment,
  queueName: string | null | undefined,
  jobVariables: JsonObject | null | undefined,
): RunPlacement | null {
  if (pool === null) return null;
  if (queueName && queue === null) {
    throw new SluiceError("not_found", `Work pool "${pool.name}" has no queue "${queueName}".`, {
      fix: `Create it first: POST /api/work_pools/${pool.name}/queues`,
    });
  }
  return {
    poolName: pool.name,
    poolId: pool.id,
    queue: queue ?? { id: null, name: "default", priority: 1 },
    entrypoint: details.entrypoint,
    path: details.path,
    pullSteps: details.pull_steps,
    jobVariables: { ...details.job_variables, ...jobVariables },
  };
}
