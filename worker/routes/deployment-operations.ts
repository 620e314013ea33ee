import * as api from "#protocol/deployment-operations";
import type { Deployment } from "#protocol/deployments";
import { notFound, SluiceError } from "#protocol/errors";
import type { DeploymentId, WorkQueueId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { createdBy } from "../created-by.ts";
import * as schedules from "../db/queries/deployment-schedules.ts";
import * as queries from "../db/queries/deployments.ts";
import * as flows from "../db/queries/flows.ts";
import { workQueueById } from "../db/queries/work-queues.ts";
import { deleteDeploymentWithRuns, deleteFlowWithRuns } from "../delete-with-runs.ts";
import { paginate } from "../paginate.ts";
import { runDeployment } from "../run-deployment.ts";
import { checkSchedules } from "../scheduling/check-schedules.ts";
import { followDeployment, scheduleSpan } from "../scheduling/follow-schedules.ts";
import { HORIZON } from "../scheduling/horizon.ts";
import { reschedule } from "../scheduling/reschedule.ts";
import { type App, serve } from "../serve.ts";

export function deploymentOperationRoutes(app: App): void {
  serve(app, api.pauseDeployment)(({ env, params }) => setPaused(env, params.id, true));
  serve(app, api.resumeDeployment)(({ env, params }) => setPaused(env, params.id, false));
  serve(
    app,
    api.scheduleDeployment,
  )(async ({ env, params, body }) => {
    await requireDeployment(env, params.id);
    const start = body.start_time == null ? (Date.now() as EpochMs) : fromWireTime(body.start_time);
    await scheduleSpan(env, params.id, {
      start,
      horizon: {
        minRuns: body.min_runs ?? HORIZON.minRuns,
        maxRuns: body.max_runs ?? HORIZON.maxRuns,
        minTimeMs: body.min_time == null ? HORIZON.minTimeMs : body.min_time * 1000,
        maxTimeMs: body.end_time == null ? HORIZON.maxTimeMs : fromWireTime(body.end_time) - start,
      },
    });
    return undefined;
  });
  serve(
    app,
    api.readDeploymentSchedules,
  )(async ({ env, params }) => (await requireDeployment(env, params.id)).schedules);
  serve(
    app,
    api.createDeploymentSchedules,
  )(async ({ env, params, body }) => {
    checkSchedules(body, ["body"]);
    await requireDeployment(env, params.id);
    const made = await schedules.insertSchedules(env, params.id, body);
    if (!made) throw slugTaken();
    await followDeployment(env, params.id);
    return made;
  });
  serve(
    app,
    api.updateDeploymentSchedule,
  )(async ({ env, params, body }) => {
    checkSchedules([body], ["body"]);
    await requireDeployment(env, params.id);
    const outcome = await schedules.changeSchedule(env, params.id, params.schedule_id, body);
    if (outcome === "unknown") throw notFound("Schedule", params.schedule_id);
    if (outcome === "slug taken") throw slugTaken();
    await reschedule(env, params.id);
    return undefined;
  });
  serve(
    app,
    api.deleteDeploymentSchedule,
  )(async ({ env, params }) => {
    await requireDeployment(env, params.id);
    if (!(await schedules.deleteSchedule(env, params.id, params.schedule_id))) {
      throw notFound("Schedule", params.schedule_id);
    }
    await reschedule(env, params.id);
    return undefined;
  });
  serve(
    app,
    api.paginateDeployments,
  )(({ env, body }) =>
    paginate(
      body,
      (page) => queries.listDeployments(env, body, { sort: body.sort ?? "NAME_ASC", ...page }),
      () => queries.countDeployments(env, body),
    ),
  );
  serve(
    app,
    api.bulkDeleteDeployments,
  )(async ({ env, body }) => {
    const page = { sort: "NAME_ASC", limit: body.limit ?? LIMITS.bulkRows, offset: 0 } as const;
    const ids = (await queries.listDeployments(env, { deployments: body.deployments }, page)).map(({ id }) => id);
    const gone = await Promise.all(ids.map((id) => deleteDeploymentWithRuns(env, id)));
    return { deleted: ids.filter((_, index) => gone[index]) };
  });
  serve(
    app,
    api.bulkCreateFlowRuns,
  )(async ({ env, params, body, c }) => {
    if (body.length > LIMITS.bulkCreateRows) {
      throw new SluiceError("bad_request", `Cannot create more than ${LIMITS.bulkCreateRows} flow runs at once.`, {
        fix: "Send them in several requests.",
      });
    }
    await requireDeployment(env, params.id);
    const maker = createdBy(c);
    const results = await Promise.all(
      body.map(async (request) => {
        try {
          const { run } = await runDeployment(env, params.id, request, maker);
          return { flow_run_id: run.id, status: "CREATED", error: null } as const;
        } catch (error) {
          // What is wrong with one request is told in its place; a defect is told as one.
          if (!(error instanceof SluiceError)) throw error;
          return { flow_run_id: null, status: "FAILED", error: error.message } as const;
        }
      }),
    );
    return { results };
  });
  serve(
    app,
    api.checkWorkQueues,
  )(async ({ env, params }) => {
    const { work_queue_id: id } = await requireDeployment(env, params.id);
    const queue = id === null ? null : await workQueueById(env, id as WorkQueueId);
    return queue ? [queue] : [];
  });
  serve(
    app,
    api.paginateFlows,
  )(({ env, body }) =>
    paginate(
      body,
      (page) => flows.listFlows(env, body, { sort: body.sort ?? "NAME_ASC", ...page }),
      () => flows.countFlows(env, body),
    ),
  );
  serve(
    app,
    api.bulkDeleteFlows,
  )(async ({ env, body }) => {
    const ids = await flows.listFlowIds(env, { flows: body.flows }, body.limit ?? LIMITS.bulkRows);
    const gone = await Promise.all(ids.map((id) => deleteFlowWithRuns(env, id)));
    return { deleted: ids.filter((_, index) => gone[index]) };
  });
}

async function setPaused(env: Env, id: DeploymentId, paused: boolean): Promise<undefined> {
  if (!(await queries.changeDeployment(env, id, { paused }))) throw notFound("Deployment", id);
  await reschedule(env, id);
  return undefined;
}

async function requireDeployment(env: Env, id: DeploymentId): Promise<Deployment> {
  const deployment = await queries.deploymentById(env, id);
  if (!deployment) throw notFound("Deployment", id);
  return deployment;
}

function slugTaken(): SluiceError {
  return new SluiceError("conflict", "Schedule slugs must be unique within a deployment.", {
    fix: "Choose another slug, or change the schedule that has it.",
  });
}
