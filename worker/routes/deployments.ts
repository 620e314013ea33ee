import * as api from "#protocol/deployments";
import { notFound } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { LIMITS } from "#protocol/limits";
import { checkJobVariables } from "../check-job-variables.ts";
import { createdBy } from "../created-by.ts";
import * as queries from "../db/queries/deployments.ts";
import { workPoolByName } from "../db/queries/work-pools.ts";
import { deleteDeploymentWithRuns } from "../delete-with-runs.ts";
import { requireSharedLimit, withLimit } from "../deployment-limit.ts";
import { requireFlow } from "../known-flows.ts";
import { runDeployment } from "../run-deployment.ts";
import { checkSchedules } from "../scheduling/check-schedules.ts";
import { reschedule } from "../scheduling/reschedule.ts";
import { type App, serve, withStatus } from "../serve.ts";

export function deploymentRoutes(app: App): void {
  serve(
    app,
    api.createDeployment,
  )(async ({ env, body }) => {
    checkSchedules(body.schedules, ["body", "schedules"]);
    await checkTemplate(env, body.work_pool_name, body.job_variables, "creating");
    await requireSharedLimit(env, body);
    const flowLabels = await requireFlow(env, body.flow_id);
    const labels = { ...flowLabels, "prefect.flow.id": body.flow_id, ...body.labels };
    const { deployment, created } = await queries.upsertDeployment(env, { ...body, labels });
    await reschedule(env, deployment.id);
    return withStatus(await withLimit(env, deployment, body), created ? 201 : 200);
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
    checkSchedules(body.schedules, ["body", "schedules"]);
    if (body.job_variables) {
      const pool = body.work_pool_name ?? (await queries.deploymentById(env, params.id))?.work_pool_name;
      await checkTemplate(env, pool, body.job_variables, "updating");
    }
    await requireSharedLimit(env, body);
    const changed = await queries.changeDeployment(env, params.id, body);
    if (!changed) throw notFound("Deployment", params.id);
    await withLimit(env, changed, body);
    await reschedule(env, params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteDeployment,
  )(async ({ env, params }) => {
    if (!(await deleteDeploymentWithRuns(env, params.id))) throw notFound("Deployment", params.id);
    return undefined;
  });
  serve(
    app,
    api.createFlowRunFromDeployment,
  )(async ({ env, params, body, c }) => {
    const { run, created } = await runDeployment(env, params.id, body, createdBy(c));
    return withStatus(run, created ? 201 : 200);
  });
}

/** The job variables of a deployment must fit its pool; what they leave out its runs may say. */
async function checkTemplate(
  env: Env,
  poolName: string | null | undefined,
  variables: JsonObject | null | undefined,
  what: "creating" | "updating",
): Promise<void> {
  const pool = poolName && variables ? await workPoolByName(env, poolName) : null;
  if (!pool || !variables) return;
  checkJobVariables({
    baseJobTemplate: pool.base_job_template,
    variables,
    what: `Error ${what} deployment`,
    isComplete: false,
  });
}
