/** The map of the pages: addresses, what stands behind the question mark, and what is read before a page is shown. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { z } from "zod";
import { readDeployment } from "#protocol/deployments";
import { SluiceError } from "#protocol/errors";
import { readFlowRun } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { read } from "./api/read.ts";
import { sessionQuery } from "./api/session.ts";
import { Shell } from "./components/shell.tsx";
import { DashboardSearch, dashboardQuery } from "./pages/dashboard/dashboard-query.ts";
import { DeploymentsSearch, deploymentsQuery } from "./pages/deployments/deployments-query.ts";
import { RunSearch } from "./pages/flow-run/run-search.ts";
import { RunsSearch, runPages } from "./pages/flow-runs/runs-search.ts";

const root = createRootRouteWithContext<{ readonly queryClient: QueryClient }>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: z.object({ from: z.string().startsWith("/").optional().catch(undefined) }),
  component: lazyRouteComponent(() => import("./pages/sign-in.tsx"), "SignInPage"),
});

/** Everything that needs somebody to be signed in. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== "unauthorized") throw error;
      throw redirect({ to: "/sign-in", search: { from: location.href } });
    }
  },
});

const dashboard = createRoute({
  getParentRoute: () => app,
  path: "/",
  validateSearch: DashboardSearch,
  loaderDeps: ({ search }) => search,
  // Not awaited: the page keeps what it shows while another span is read.
  loader: ({ context, deps }) => void context.queryClient.prefetchQuery(dashboardQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/dashboard/page.tsx"), "DashboardPage"),
});

const runs = createRoute({
  getParentRoute: () => app,
  path: "/runs",
  validateSearch: RunsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(runPages(deps)),
  component: lazyRouteComponent(() => import("./pages/flow-runs/page.tsx"), "FlowRunsPage"),
});

const run = createRoute({
  getParentRoute: () => app,
  path: "/runs/$runId",
  validateSearch: RunSearch,
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(read(readFlowRun, { params: { id: params.runId as FlowRunId } })),
  component: lazyRouteComponent(() => import("./pages/flow-run/page.tsx"), "FlowRunPage"),
});

const deployments = createRoute({
  getParentRoute: () => app,
  path: "/deployments",
  validateSearch: DeploymentsSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchQuery(deploymentsQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/deployments/page.tsx"), "DeploymentsPage"),
});

const deployment = createRoute({
  getParentRoute: () => app,
  path: "/deployments/$deploymentId",
  /** `run` opens the form that starts a run. */
  validateSearch: z.object({ run: z.boolean().optional().catch(undefined) }),
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(read(readDeployment, { params: { id: params.deploymentId as DeploymentId } })),
  component: lazyRouteComponent(() => import("./pages/deployment/page.tsx"), "DeploymentPage"),
});

export const routeTree = root.addChildren([signIn, app.addChildren([dashboard, runs, run, deployments, deployment])]);
