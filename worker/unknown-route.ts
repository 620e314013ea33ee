/** What is answered where no route is: 405 where the path is there for other methods, otherwise 404. */
import type { Context } from "hono";
import { SluiceError } from "#protocol/errors";
import type { App } from "./serve.ts";

/** Absent for whoever has no boot token, so it is not named here either. */
const UNNAMED_PREFIX = "/api/internal/";

/** The handler for what none of the app's routes takes. Made after they are added. */
export function unknownRoute(routes: App["routes"]): (c: Context) => Response {
  const known = routes
    .filter(({ method, path }) => method !== "ALL" && !path.startsWith(UNNAMED_PREFIX))
    .map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`) }));
  return (c) => {
    const { method, path } = c.req;
    const allowed = new Set(known.filter(({ pattern }) => pattern.test(path)).map((route) => route.method));
    if (allowed.size === 0) {
      throw new SluiceError("not_found", `There is no ${method} ${path}.`, {
        fix: "See /api/openapi.json for what there is.",
      });
    }
    const allow = [...allowed].sort().join(", ");
    const error = new SluiceError("method_not_allowed", `There is no ${method} ${path}.`, {
      fix: `Use ${allow}, or see /api/openapi.json for what there is.`,
    });
    return Response.json(error.toBody(), { status: error.status, headers: { allow } });
  };
}
