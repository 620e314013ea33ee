/** The map of the pages: addresses, what stands behind the question mark, and what is read before a page is shown. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { z } from "zod";
import { readSettings } from "#protocol/admin";
import { readDeployment } from "#protocol/deployments";
import { SluiceError } from "#protocol/errors";
import { readFlowRun } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { readWebhook } from "#protocol/webhooks";
import { readWorkPool } from "#protocol/work-pools";
import { read } from "./api/read.ts";
import { sessionQuery } from "./api/session.ts";
import { ListSearch, OpenSearch } from "./components/list-search.ts";
import { Shell } from "./components/shell.tsx";
import { artifactsQuery } from "./pages/artifacts/artifacts-query.ts";
import { blocksQuery } from "./pages/blocks/blocks-query.ts";
import { CompareSearch } from "./pages/compare/compare-search.ts";
import { DashboardSearch, dashboardQuery } from "./pages/dashboard/dashboard-query.ts";
import { DeploymentsSearch, deploymentsQuery } from "./pages/deployments/deployments-query.ts";
import { RunSearch } from "./pages/flow-run/run-search.ts";
import { runPages } from "./pages/flow-runs/run-pages.ts";
import { RunsSearch } from "./pages/flow-runs/runs-search.ts";
import { flowsQuery } from "./pages/flows/flows-query.ts";
import { limitsQuery } from "./pages/limits/limits-query.ts";
import { variablesQuery } from "./pages/variables/variables-query.ts";
import { webhooksQuery } from "./pages/webhooks/webhooks-query.ts";
import { poolsQuery } from "./pages/work-pools/pools-query.ts";

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
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(deploymentsQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/deployments/page.tsx"), "DeploymentsPage"),
});

const deployment = createRoute({
  getParentRoute: () => app,
  path: "/deployments/$deploymentId",
  validateSearch: OpenSearch,
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(read(readDeployment, { params: { id: params.deploymentId as DeploymentId } })),
  component: lazyRouteComponent(() => import("./pages/deployment/page.tsx"), "DeploymentPage"),
});

const flows = createRoute({
  getParentRoute: () => app,
  path: "/flows",
  validateSearch: ListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(flowsQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/flows/page.tsx"), "FlowsPage"),
});

const workPools = createRoute({
  getParentRoute: () => app,
  path: "/work-pools",
  validateSearch: ListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(poolsQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/work-pools/page.tsx"), "WorkPoolsPage"),
});

const blocks = createRoute({
  getParentRoute: () => app,
  path: "/blocks",
  validateSearch: ListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(blocksQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/blocks/page.tsx"), "BlocksPage"),
});

const variables = createRoute({
  getParentRoute: () => app,
  path: "/variables",
  validateSearch: ListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(variablesQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/variables/page.tsx"), "VariablesPage"),
});

const artifacts = createRoute({
  getParentRoute: () => app,
  path: "/artifacts",
  validateSearch: ListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => void context.queryClient.prefetchInfiniteQuery(artifactsQuery(deps)),
  component: lazyRouteComponent(() => import("./pages/artifacts/page.tsx"), "ArtifactsPage"),
});

const limits = createRoute({
  getParentRoute: () => app,
  path: "/limits",
  validateSearch: ListSearch,
  loader: ({ context }) => void context.queryClient.prefetchInfiniteQuery(limitsQuery),
  component: lazyRouteComponent(() => import("./pages/limits/page.tsx"), "LimitsPage"),
});

const workPool = createRoute({
  getParentRoute: () => app,
  path: "/work-pools/$poolName",
  validateSearch: OpenSearch,
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(read(readWorkPool, { params: { name: params.poolName } })),
  component: lazyRouteComponent(() => import("./pages/work-pool/page.tsx"), "WorkPoolPage"),
});

const webhooks = createRoute({
  getParentRoute: () => app,
  path: "/webhooks",
  validateSearch: ListSearch,
  loader: ({ context }) => void context.queryClient.prefetchInfiniteQuery(webhooksQuery),
  component: lazyRouteComponent(() => import("./pages/webhooks/page.tsx"), "WebhooksPage"),
});

const webhook = createRoute({
  getParentRoute: () => app,
  path: "/webhooks/$slug",
  validateSearch: OpenSearch,
  loader: ({ context, params }) => context.queryClient.ensureQueryData(read(readWebhook, { params })),
  component: lazyRouteComponent(() => import("./pages/webhook/page.tsx"), "WebhookPage"),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  validateSearch: OpenSearch,
  loader: ({ context }) => context.queryClient.ensureQueryData(read(readSettings, {})),
  component: lazyRouteComponent(() => import("./pages/settings/page.tsx"), "SettingsPage"),
});

const compare = createRoute({
  getParentRoute: () => app,
  path: "/compare",
  validateSearch: CompareSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) =>
    Promise.all(
      [deps.a, deps.b].map((id) => context.queryClient.ensureQueryData(read(readFlowRun, { params: { id } }))),
    ),
  component: lazyRouteComponent(() => import("./pages/compare/page.tsx"), "ComparePage"),
});

const PAGES_OF_APP = [
  dashboard,
  runs,
  run,
  compare,
  flows,
  deployments,
  deployment,
  workPools,
  workPool,
  limits,
  blocks,
  variables,
  artifacts,
  webhooks,
  webhook,
  settings,
] as const;

export const routeTree = root.addChildren([signIn, app.addChildren(PAGES_OF_APP)]);
