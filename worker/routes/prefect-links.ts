/** Addresses of Prefect's UI, which its client prints ("View at …"): they lead to the pages of this one. */
import type { App } from "../serve.ts";

/** From what stands before the id to what stands before it here; wrangler.toml lists them too. */
const PAGES: Readonly<Record<string, string>> = {
  "/runs/flow-run": "/runs",
  "/deployments/deployment": "/deployments",
  "/work-pools/work-pool": "/work-pools",
};

export function prefectLinkRoutes(app: App): void {
  for (const [theirs, ours] of Object.entries(PAGES)) {
    app.get(`${theirs}/:id`, (c) => c.redirect(`${ours}/${encodeURIComponent(c.req.param("id") ?? "")}`));
  }
}
