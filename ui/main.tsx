import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient } from "./api/query-client.ts";
import { sessionQuery } from "./api/session.ts";
import { applyTheme, currentTheme } from "./elements/theme.ts";
import { createAppRouter } from "./router.ts";

applyTheme(currentTheme());

const queryClient = createQueryClient({
  signedOut() {
    queryClient.removeQueries({ queryKey: sessionQuery.queryKey });
    if (router.state.location.pathname !== "/sign-in") {
      void router.navigate({ to: "/sign-in", search: { from: router.state.location.href } });
    }
  },
});
const router = createAppRouter(queryClient);

const root = document.getElementById("root");
if (!root) throw new Error('The page has no element "root".');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
