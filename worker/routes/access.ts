import * as api from "#protocol/access";
import { notFound, SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { type Caller, callerOf, forgetCallers, hashOf } from "../../durable-objects/caller.ts";
import * as queries from "../db/queries/api-keys.ts";
import { FIX_OF_REFUSAL } from "../guard.ts";
import { newKey } from "../new-key.ts";
import { type App, serve } from "../serve.ts";
import { forgettingCookie, keepingCookie } from "../session-cookie.ts";

export function accessRoutes(app: App): void {
  serve(
    app,
    api.readSession,
  )(({ c }) => {
    const caller = c.get("caller");
    if (!caller) throw new Error("A caller of whom nothing is known passed the guard.");
    return sessionOf(caller);
  });
  serve(
    app,
    api.signIn,
  )(async ({ env, body, c }) => {
    const caller = await callerOf(env, body.key);
    if (typeof caller === "string") {
      const fix =
        caller === "closed" ? "Set a root key: npx wrangler secret put SLUICE_ROOT_KEY" : FIX_OF_REFUSAL[caller];
      throw new SluiceError("unauthorized", "This key is not valid here.", { fix });
    }
    return Response.json(sessionOf(caller), { headers: { "set-cookie": keepingCookie(body.key, c.req.url) } });
  });
  serve(
    app,
    api.signOut,
  )(({ c }) => new Response(null, { status: 204, headers: { "set-cookie": forgettingCookie(c.req.url) } }));
  serve(
    app,
    api.createKey,
  )(async ({ env, body }) => {
    requireFuture(body.expires);
    const secret = newKey();
    const key = await queries.insertKey(env, body, await hashOf(secret));
    if (!key) {
      throw new SluiceError("conflict", `A key named "${body.name}" already exists.`, {
        fix: `Choose another name, or revoke that one first: sluice key revoke ${body.name}`,
      });
    }
    return { ...key, key: secret };
  });
  serve(
    app,
    api.filterKeys,
  )(({ env, body }) =>
    queries.listKeys(
      env,
      { name: body.keys?.name ?? null, includeRevoked: body.keys?.include_revoked ?? false },
      { limit: body.limit ?? LIMITS.pageRows, offset: body.offset ?? 0 },
    ),
  );
  serve(app, api.readKey)(async ({ env, params }) => found(await queries.keyById(env, params.id), params.id));
  serve(
    app,
    api.revokeKey,
  )(async ({ env, params }) => {
    const key = found(await queries.revokeKey(env, params.id), params.id);
    forgetCallers();
    return key;
  });
  serve(
    app,
    api.deleteKey,
  )(async ({ env, params }) => {
    if (!(await queries.deleteKey(env, params.id))) throw notFound("Key", params.id);
    forgetCallers();
    return undefined;
  });
}

function sessionOf(caller: Caller): api.Session {
  return {
    role: caller.role,
    by: caller.by,
    key_id: caller.key?.id ?? null,
    key_name: caller.key?.name ?? null,
    expires: caller.key?.expires == null ? null : toWireTime(caller.key.expires as EpochMs),
    open: caller.by === "open",
  };
}

function found(key: api.ApiKey | null, id: string): api.ApiKey {
  if (key === null) throw notFound("Key", id);
  return key;
}

function requireFuture(expires: api.ApiKeyCreate["expires"]): void {
  if (expires == null || fromWireTime(expires) > Date.now()) return;
  throw new SluiceError("validation", `Field expires is ${expires}, which is not in the future.`, {
    fix: "Send a later time, or leave it out for a key that does not expire.",
    issues: [{ loc: ["body", "expires"], msg: "must be in the future", type: "too_small", input: expires }],
  });
}
