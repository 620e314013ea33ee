/** Who may talk to the API: the right Host, no foreign Origin, a key where one is required, and the role for it. */
import type { Context, MiddlewareHandler } from "hono";
import { mayDo } from "#protocol/access";
import { CHANNELS } from "#protocol/channels";
import type { Role } from "#protocol/endpoint";
import { ENDPOINTS } from "#protocol/endpoints";
import { SluiceError } from "#protocol/errors";
import { callerOf, type Refusal } from "../durable-objects/caller.ts";
import type { AppEnv } from "./serve.ts";
import { cookieKey } from "./session-cookie.ts";

/** Answer to these even without a key: load balancers and start scripts ask them. */
const PUBLIC: ReadonlySet<string> = new Set(pathsOf(ENDPOINTS.filter(({ role }) => role === "public")));
/** Checked by a token of its own. */
const INTERNAL_PREFIX = "/api/internal/";
/** The object at the other end checks the key; see {@link Channel.keyIn}. */
const KEY_IN_FIRST_FRAME: ReadonlySet<string> = new Set(
  pathsOf(CHANNELS.filter(({ keyIn }) => keyIn === "first frame")),
);

function pathsOf(declared: readonly { readonly path: string }[]): string[] {
  return declared.map(({ path }) => `/api${path}`.replace(/\/$/, ""));
}

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

/** Finds out who calls. Whoever has no valid key gets 401, except where none is needed; see {@link requireRole}. */
export const identify: MiddlewareHandler<AppEnv> = async (c, next) => {
  const path = c.req.path.replace(/\/$/, "");
  if (PUBLIC.has(path) || path.startsWith(INTERNAL_PREFIX)) return next();
  const authorization = c.req.header("authorization");
  const key = authorization === undefined ? cookieKey(c.req.header("cookie"), c.req.url) : presentedKey(authorization);
  const caller = await callerOf(c.env, key);
  if (typeof caller !== "string") c.set("caller", caller);
  else if (caller === "closed") {
    throw new SluiceError("not_configured", "This control plane has no root key, so it answers nobody.", {
      fix: "Set one: npx wrangler secret put SLUICE_ROOT_KEY",
    });
  } else if (!KEY_IN_FIRST_FRAME.has(path)) {
    throw new SluiceError("unauthorized", "Unauthorized", { fix: FIX_OF_REFUSAL[caller] });
  }
  await next();
};

export const FIX_OF_REFUSAL: Readonly<Record<Exclude<Refusal, "closed">, string>> = {
  unknown: 'Send a key as "Authorization: Bearer …"; the CLI and the SDK take it from SLUICE_API_KEY.',
  expired: "The key has expired. Have an admin make another: sluice key create NAME --role ROLE",
  revoked: "The key was revoked. Have an admin make another: sluice key create NAME --role ROLE",
};

/** Refuses a caller whose role is less than what is needed. Every route that answers anything calls this. */
export function requireRole(c: Context<AppEnv>, needed: Role): void {
  if (needed === "public") return;
  const caller = c.get("caller");
  if (mayDo(caller?.role ?? null, needed)) return;
  const who = caller?.key ? `the key "${caller.key.name}"` : "the caller";
  throw new SluiceError(
    "forbidden",
    `${c.req.method} ${c.req.path} needs the role ${needed}; ${who} has ${caller ? `the role ${caller.role}` : "none"}.`,
    { fix: `Use a key with the role ${needed} or above: sluice key create NAME --role ${needed}` },
  );
}

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

/** What an Authorization header presents as key: of Basic, the whole text, whose forms `callerOf` knows. */
export function presentedKey(header: string | undefined): string {
  const [, scheme = "", value = ""] = /^(\S+)\s+(.+)$/.exec((header ?? "").trim()) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return "";
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0)));
  } catch {
    // Not base64: no key was presented.
    return "";
  }
}
