import { SluiceError } from "#protocol/errors";
import * as api from "#protocol/server";
import { version } from "../../package.json";
import { requireRole } from "../guard.ts";
import { openApiDocument } from "../openapi.ts";
import { SCHEMA } from "../ready.ts";
import { type App, serve } from "../serve.ts";

export function serverRoutes(app: App): void {
  // The middleware has let nothing through that could not be served, so reaching these is the answer.
  serve(app, api.readHealth)(() => true as const);
  serve(app, api.readReady)(() => ({ message: "OK" }));
  serve(app, api.readApiVersion)(() => api.PREFECT_API_VERSION);
  serve(app, api.readHello)(() => "👋");
  serve(app, api.readAdminVersion)(() => api.PREFECT_VERSION);
  serve(app, api.readServerInfo)(({ env }) => ({ version, mode: env.SLUICE_MODE, schema: SCHEMA }));
  serve(
    app,
    api.createCsrfToken,
  )(() => {
    throw new SluiceError("validation", "CSRF protection is disabled.", {
      fix: "Send requests without a token: requests with a foreign Origin are refused instead.",
    });
  });
  app.get("/api/openapi.json", (c) => {
    requireRole(c, "viewer");
    return c.json(openApiDocument());
  });
}
