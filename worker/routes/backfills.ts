import * as api from "#protocol/backfills";
import { notFound } from "#protocol/errors";
import type { DeploymentId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import * as queries from "../db/queries/backfills.ts";
import { deploymentById } from "../db/queries/deployments.ts";
import { cancelBackfill, previewBackfill, startBackfill } from "../scheduling/backfill.ts";
import { type App, serve } from "../serve.ts";

export function backfillRoutes(app: App): void {
  serve(
    app,
    api.previewBackfill,
  )(async ({ env, params, body }) => {
    await requireDeployment(env, params.id);
    return previewBackfill(env, params.id, body);
  });
  serve(
    app,
    api.createBackfill,
  )(async ({ env, params, body }) => {
    await requireDeployment(env, params.id);
    return startBackfill(env, params.id, body);
  });
  serve(
    app,
    api.readBackfills,
  )(async ({ env, params }) => {
    await requireDeployment(env, params.id);
    return queries.backfillsOf(env, params.id, LIMITS.pageRows);
  });
  serve(app, api.readBackfill)(({ env, params }) => requireBackfill(env, params.id));
  serve(
    app,
    api.cancelBackfill,
  )(async ({ env, params }) => {
    if (!(await cancelBackfill(env, params.id))) throw notFound("Backfill", params.id);
    return requireBackfill(env, params.id);
  });
}

async function requireDeployment(env: Env, id: DeploymentId): Promise<void> {
  if (!(await deploymentById(env, id))) throw notFound("Deployment", id);
}

async function requireBackfill(env: Env, id: string): Promise<api.Backfill> {
  const backfill = await queries.backfillById(env, id);
  if (!backfill) throw notFound("Backfill", id);
  return backfill;
}
