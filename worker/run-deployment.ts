/** Makes a run of a deployment: what the request leaves open comes from the deployment. */
import { VERSION_LABEL } from "#protocol/deployment-versions";
import { notFound, SluiceError } from "#protocol/errors";
import type { CreatedBy, DeploymentFlowRunCreate, FlowRun, JsonObject } from "#protocol/flow-runs";
import type { DeploymentId } from "#protocol/ids";
import { NO_DETAILS, type StateCreate } from "#protocol/states";
import type { RunPlacement } from "../durable-objects/flow-run-owner.ts";
import { checkJobVariables } from "./check-job-variables.ts";
import { checkParameters } from "./check-parameters.ts";
import { createFlowRun } from "./create-flow-run.ts";
import { type RunnableDeployment, runnableDeployment } from "./db/queries/deployments.ts";
import { workPoolByName } from "./db/queries/work-pools.ts";
import { ensureWorkQueue } from "./db/queries/work-queues.ts";
import { debounce, keyLabels, putOff, standingLabels } from "./flow-control.ts";
import { hydrate } from "./hydrate.ts";

const SCHEDULED_NOW: StateCreate = {
  type: "SCHEDULED",
  name: null,
  message: null,
  data: null,
  state_details: NO_DETAILS,
};

/** Fails when there is no such deployment, or when the parameters do not fit its schema. */
export async function runDeployment(
  env: Env,
  id: DeploymentId,
  request: DeploymentFlowRunCreate,
  createdBy: CreatedBy | null,
): Promise<{ run: FlowRun; created: boolean }> {
  const deployment = await runnableDeployment(env, id, request.work_queue_name ?? null);
  if (!deployment) throw notFound("Deployment", id);
  const { details } = deployment;
  const parameters = await hydrate(env, { ...details.parameters, ...request.parameters });
  if (request.enforce_parameter_schema ?? details.enforce_parameter_schema) {
    checkParameters(parameters, details.parameter_openapi_schema);
  }
  if (deployment.pool) {
    checkJobVariables({
      baseJobTemplate: deployment.pool.baseJobTemplate,
      variables: { ...details.job_variables, ...request.job_variables },
      what: "Error creating flow run",
      isComplete: true,
    });
  }
  const { state, name, enforce_parameter_schema: _, ...rest } = request;
  const tags = [...new Set([...deployment.tags, ...request.tags])];
  const source = { parameters, tags };
  const { flowControl } = deployment;
  const made = await createFlowRun(env, {
    name: name ?? null,
    request: {
      ...rest,
      flow_id: deployment.flowId,
      deployment_id: deployment.id,
      parameters,
      tags,
      labels: {
        ...details.labels,
        "prefect.deployment.id": deployment.id,
        [VERSION_LABEL]: deployment.versionNumber,
        ...standingLabels(flowControl),
        ...request.labels,
        ...keyLabels(flowControl, source),
      },
      infrastructure_document_id: request.infrastructure_document_id ?? details.infrastructure_document_id,
      job_variables: request.job_variables ?? null,
    },
    state: await putOff(env, id, flowControl, source, state ?? SCHEDULED_NOW),
    deploymentVersion: details.version,
    createdBy,
    autoScheduled: false,
    placement: await placementOf(env, deployment, request.work_queue_name ?? null, request.job_variables),
  });
  if (made.created) await debounce(env, id, flowControl, source, made.run.id);
  return made;
}

/** Where the run is executed: the deployment's pool, and its queue unless the request names another. */
async function placementOf(
  env: Env,
  { pool, queue, details }: RunnableDeployment,
  queueName: string | null,
  jobVariables: JsonObject | null | undefined,
): Promise<RunPlacement | null> {
  if (pool === null) {
    if (queueName === null) return null;
    throw new SluiceError("bad_request", `The deployment has no work pool, so it has no queue "${queueName}".`, {
      fix: "Leave work_queue_name out, or give the deployment a work pool.",
    });
  }
  return {
    poolName: pool.name,
    poolId: pool.id,
    queue: queue ?? (await namedQueue(env, pool.name, queueName ?? "default")),
    entrypoint: details.entrypoint,
    path: details.path,
    pullSteps: details.pull_steps,
    jobVariables: { ...details.job_variables, ...jobVariables },
  };
}

/** A queue that is named for the first time is made, as upstream does. */
async function namedQueue(env: Env, poolName: string, name: string): Promise<RunPlacement["queue"]> {
  const pool = await workPoolByName(env, poolName);
  if (!pool) throw notFound("Work pool", `"${poolName}"`);
  const { id, priority } = await ensureWorkQueue(env, pool, name);
  return { id, name, priority };
}
