/** The HTTP API: middleware in its order, then the routes of each resource. */
import { Hono } from "hono";
import { checkHost, identify } from "./guard.ts";
import { problem } from "./problem.ts";
import { checkReady } from "./ready.ts";
import { accessRoutes } from "./routes/access.ts";
import { adminRoutes } from "./routes/admin.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { backfillRoutes } from "./routes/backfills.ts";
import { blockDocumentRoutes } from "./routes/block-documents.ts";
import { blockSchemaRoutes } from "./routes/block-schemas.ts";
import { blockTypeRoutes } from "./routes/block-types.ts";
import { channelRoutes } from "./routes/channels.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { concurrencyLimitRoutes } from "./routes/concurrency-limits.ts";
import { dashboardRoutes } from "./routes/dashboard.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { deploymentOperationRoutes } from "./routes/deployment-operations.ts";
import { deploymentVersionRoutes } from "./routes/deployment-versions.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { eventRoutes } from "./routes/events.ts";
import { flowControlRoutes } from "./routes/flow-control.ts";
import { flowRunGraphRoutes } from "./routes/flow-run-graph.ts";
import { flowRunInputRoutes } from "./routes/flow-run-inputs.ts";
import { flowRunOperationRoutes } from "./routes/flow-run-operations.ts";
import { flowRunRetryRoutes } from "./routes/flow-run-retry.ts";
import { flowRunRoutes } from "./routes/flow-runs.ts";
import { flowRoutes } from "./routes/flows.ts";
import { giveBackRoutes } from "./routes/give-back.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { internalRoutes } from "./routes/internal.ts";
import { logRoutes } from "./routes/logs.ts";
import { pollingRoutes } from "./routes/polling.ts";
import { prefectLinkRoutes } from "./routes/prefect-links.ts";
import { savedSearchRoutes } from "./routes/saved-searches.ts";
import { schedulePolicyRoutes } from "./routes/schedule-policies.ts";
import { schedulePreviewRoutes } from "./routes/schedule-preview.ts";
import { serverRoutes } from "./routes/server.ts";
import { slotHolderRoutes } from "./routes/slot-holders.ts";
import { tagConcurrencyLimitRoutes } from "./routes/tag-concurrency-limits.ts";
import { taskRunRoutes } from "./routes/task-runs.ts";
import { taskWorkerRoutes } from "./routes/task-workers.ts";
import { uiReadRoutes } from "./routes/ui-reads.ts";
import { uiTaskRunRoutes } from "./routes/ui-task-runs.ts";
import { variableRoutes } from "./routes/variables.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { whyRoutes } from "./routes/why.ts";
import { workPoolRoutes } from "./routes/work-pools.ts";
import { workQueueRoutes } from "./routes/work-queues.ts";
import { workerPollRoutes } from "./routes/worker-poll.ts";
import type { App, AppEnv } from "./serve.ts";
import { unknownRoute } from "./unknown-route.ts";

export function createApp(): App {
  const app = new Hono<AppEnv>();
  app.onError(problem);
  app.use("*", checkHost);
  // Keys are in D1, so its schema comes first.
  app.use("/api/*", checkReady, identify);
  app.use("/hooks/*", checkReady);
  for (const add of [
    internalRoutes,
    serverRoutes,
    accessRoutes,
    adminRoutes,
    dashboardRoutes,
    channelRoutes,
    flowRoutes,
    flowRunOperationRoutes,
    flowRunGraphRoutes,
    flowRunRetryRoutes,
    giveBackRoutes,
    whyRoutes,
    flowRunRoutes,
    flowRunInputRoutes,
    taskRunRoutes,
    taskWorkerRoutes,
    uiTaskRunRoutes,
    logRoutes,
    deploymentOperationRoutes,
    deploymentVersionRoutes,
    schedulePolicyRoutes,
    schedulePreviewRoutes,
    backfillRoutes,
    deploymentRoutes,
    flowControlRoutes,
    webhookRoutes,
    hookRoutes,
    workPoolRoutes,
    workQueueRoutes,
    pollingRoutes,
    workerPollRoutes,
    deadLetterRoutes,
    slotHolderRoutes,
    artifactRoutes,
    variableRoutes,
    concurrencyLimitRoutes,
    tagConcurrencyLimitRoutes,
    eventRoutes,
    uiReadRoutes,
    savedSearchRoutes,
    blockTypeRoutes,
    blockSchemaRoutes,
    blockDocumentRoutes,
    collectionRoutes,
    prefectLinkRoutes,
  ]) {
    add(app);
  }
  app.all("/api/*", unknownRoute(app.routes));
  // Everything else is the UI; the platform serves its files before this is asked.
  app.all("*", (c) => c.env.ASSETS.fetch(c.req.raw));
  return app;
}
