/** The router, and what it does while a page is on its way, missing or broken. */
import type { QueryClient } from "@tanstack/react-query";
import { createRouter, parseSearchWith, stringifySearchWith } from "@tanstack/react-router";
import { NotFound } from "./components/not-found.tsx";
import { RouteError } from "./components/route-error.tsx";
import { parseSearchValue } from "./components/search-values.ts";
import { PageSkeleton } from "./elements/skeleton.tsx";
import { routeTree } from "./routes.tsx";

/** A page that comes sooner than this replaces the one before without a skeleton between. */
const PENDING_MS = 200;

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingMs: PENDING_MS,
    defaultPendingComponent: PageSkeleton,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    parseSearch: parseSearchWith(parseSearchValue),
    stringifySearch: stringifySearchWith(JSON.stringify, parseSearchValue),
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
