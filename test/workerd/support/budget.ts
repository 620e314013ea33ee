/** How much a long suite may spend: the small fixed budget of every run, or the full one of `npm run soak`. */
import { env } from "cloudflare:workers";

declare global {
  namespace Cloudflare {
    interface Env {
      TEST_BUDGET: string;
    }
  }
}

export function budget<T>(sizes: { readonly fast: T; readonly full: T }): T {
  return env.TEST_BUDGET === "full" ? sizes.full : sizes.fast;
}
