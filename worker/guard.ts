/** Who may talk to the API at all: the right Host, no foreign Origin, and the key where one is required. */
import type { MiddlewareHandler } from "hono";
import { SluiceError } from "#protocol/errors";
import { sameSecret } from "../durable-objects/same-secret.ts";
import type { AppEnv } from "./serve.ts";

/** Answer to these even without a key: load balancers and start scripts ask them. */
const PUBLIC = new Set(["/api/health", "/api/ready"]);
/** Checked by a token of its own. */
const INTERNAL_PREFIX = "/api/internal/";
/** Prefect's event clients present their key in the first frame; the object at the other end checks it. */
const KEY_IN_FIRST_FRAME = new Set([
  "/api/events/in",
  "/api/events/out",
  "/api/logs/out",
  "/api/task_runs/subscriptions/scheduled",
]);

/**
 * Refuses requests whose Host is not a name of this server, or whose Origin is not its own: a web page must not reach
 * a server on the visitor's machine, neither directly nor through a name that resolves to it.
 */
export const checkHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  // A call from inside the platform carries no Host header; its URL names the host.
  const host = (c.req.header("host") ?? new URL(c.req.url).host).toLowerCase();
  if (!isOwnHost(host, c.env, new URL(c.req.url).host)) {
    throw new SluiceError("foreign_host", `Host "${host}" is not a name of this server.`, {
      fix: "Use the address that the server printed, or add the name to SLUICE_ALLOWED_HOSTS.",
    });
  }
  const origin = c.req.header("origin");
  if (origin !== undefined && hostOfOrigin(origin) !== host) {
    throw new SluiceError("foreign_origin", `Origin "${origin}" is not this server's own.`, {
      fix: "Call the API from the server's own pages, or from a program that sends no Origin.",
    });
  }
  await next();
};

/** Requires the root key, as Bearer or as Basic, where one is configured; without one only the embedded server is open. */
export const checkKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const path = c.req.path.replace(/\/$/, "");
  if (PUBLIC.has(path) || path.startsWith(INTERNAL_PREFIX)) return next();
  if (KEY_IN_FIRST_FRAME.has(path) && c.env.SLUICE_ROOT_KEY) return next();
  const rootKey = c.env.SLUICE_ROOT_KEY;
  if (!rootKey) {
    if (c.env.SLUICE_MODE === "embedded") return next();
    throw new SluiceError("not_configured", "This control plane has no root key, so it answers nobody.", {
      fix: "Set one: npx wrangler secret put SLUICE_ROOT_KEY",
    });
  }
  if (!(await sameSecret(presentedKey(c.req.header("authorization")), rootKey))) {
    throw new SluiceError("unauthorized", "Unauthorized", {
      fix: 'Send the key as "Authorization: Bearer …"; the CLI and the SDK take it from SLUICE_API_KEY.',
    });
  }
  await next();
};

function isOwnHost(host: string, env: Env, urlHost: string): boolean {
  const allowed = env.SLUICE_ALLOWED_HOSTS.split(",").map((name) => name.trim().toLowerCase());
  const named = allowed.filter((name) => name !== "");
  const hostname = host.replace(/:\d+$/, "");
  if (named.includes(host) || named.includes(hostname)) return true;
  if (env.SLUICE_MODE === "embedded") return hostname === "localhost" || hostname === "[::1]" || isLoopback(hostname);
  // On Cloudflare a request reaches this Worker by its own routes only.
  return named.length === 0 && host === urlHost;
}

function isLoopback(hostname: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

function hostOfOrigin(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

/** The key in an Authorization header. Python clients send theirs as Basic, with or without a user name. */
export function presentedKey(header: string | undefined): string {
  const [scheme = "", value = ""] = (header ?? "").trim().split(/\s+/, 2);
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return "";
  try {
    return atob(value).replace(/^:/, "");
  } catch {
    // Not base64: no key was presented.
    return "";
  }
}
