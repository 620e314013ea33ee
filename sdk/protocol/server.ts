/** What the control plane says about itself. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";

/** The version of Prefect's client API that is spoken here; clients compare it. */
export const PREFECT_API_VERSION = "0.8.4";
/** The release of Prefect whose API this is; its clients refuse another major version. */
export const PREFECT_VERSION = "3.8.8";

/** Asked by load balancers: it needs no key. 503 until the database has the schema. */
export const readHealth = endpoint({
  id: "health",
  method: "GET",
  path: "/health",
  tag: "Root",
  role: "public",
  summary: "200 when requests are served, 503 before.",
  returns: z.literal(true),
});
/** As {@link readHealth}, with a message as body; it needs no key either. */
export const readReady = endpoint({
  id: "ready",
  method: "GET",
  path: "/ready",
  tag: "Root",
  role: "public",
  summary: "200 when the database has this version's schema.",
  returns: z.object({ message: z.string() }),
});
/** {@link PREFECT_API_VERSION}. */
export const readApiVersion = endpoint({
  id: "version",
  method: "GET",
  path: "/version",
  tag: "Root",
  role: "viewer",
  summary: "The version of Prefect's client API.",
  returns: z.string(),
});
/** To try out an address and a key. */
export const readHello = endpoint({
  id: "hello",
  method: "GET",
  path: "/hello",
  tag: "Root",
  role: "viewer",
  summary: "A greeting.",
  returns: z.string(),
});
/** Always fails: from the 422, Prefect's clients learn that they need no token. */
export const createCsrfToken = endpoint({
  id: "create_csrf_token",
  method: "GET",
  path: "/csrf-token",
  tag: "Root",
  role: "viewer",
  summary: "Refused with 422, as by a server without CSRF tokens: requests with a foreign Origin are refused instead.",
  query: z.object({ client: z.string().optional() }),
  returns: z.never(),
});
/** {@link PREFECT_VERSION}. */
export const readAdminVersion = endpoint({
  id: "admin_version",
  method: "GET",
  path: "/admin/version",
  tag: "Admin",
  role: "viewer",
  summary: "The Prefect release whose API is spoken.",
  returns: z.string(),
});
/** `version` is that of the package, `mode` "embedded" or "cloudflare", `schema` the name of the newest migration. */
export const readServerInfo = endpoint({
  id: "server_info",
  method: "GET",
  path: "/server",
  tag: "Sluice",
  role: "viewer",
  summary: "This server's own version, mode and schema.",
  returns: z.object({ version: z.string(), mode: z.string(), schema: z.string() }),
});
