/** The HTTP API: middleware in its order, then the routes of each resource. */
import { Hono } from "hono";
import { checkHost, checkKey } from "./guard.ts";
import { problem } from "./problem.ts";
import { checkReady } from "./ready.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { channelRoutes } from "./routes/channels.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { eventRoutes } from "./routes/events.ts";
import { flowRunInputRoutes } from "./routes/flow-run-inputs.ts";
import { flowRunRoutes } from "./routes/flow-runs.ts";
import { flowRoutes } from "./routes/flows.ts";
import { internalRoutes } from "./routes/internal.ts";
import { logRoutes } from "./routes/logs.ts";
import { serverRoutes } from "./routes/server.ts";
import { taskRunRoutes } from "./routes/task-runs.ts";
import { variableRoutes } from "./routes/variables.ts";
import { workPoolRoutes } from "./routes/work-pools.ts";
import type { App, AppEnv } from "./serve.ts";
import { unknownRoute } from "./unknown-route.ts";

export function createApp(): App {
  const app = new Hono<AppEnv>();
  app.onError(problem);
  app.use("*", checkHost);
  app.use("/api/*", checkKey, checkReady);
  for (const add of [
    internalRoutes,
    serverRoutes,
    channelRoutes,
    flowRoutes,
    flowRunRoutes,
    flowRunInputRoutes,
    taskRunRoutes,
    logRoutes,
    deploymentRoutes,
    workPoolRoutes,
    artifactRoutes,
    variableRoutes,
    eventRoutes,
  ]) {
    add(app);
  }
  app.all("/api/*", unknownRoute(app.routes));
  // Everything else is the UI; the platform serves its files before this is asked.
  app.all("*", (c) => c.env.ASSETS.fetch(c.req.raw));
  return app;
}
