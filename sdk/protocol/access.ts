/** Who may do what: API keys, their roles, and the session of a caller. */
import { z } from "zod";
import { endpoint, type Role } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** Least first: each may do what those before it may. */
export const KEY_ROLES = ["viewer", "worker", "operator", "admin"] as const;
/**
 * What a key may do. `viewer` reads; `worker` also executes runs; `operator` also changes deployments, pools and the
 * like; `admin` also makes and revokes keys.
 */
export const KeyRole = z.enum(KEY_ROLES);
export type KeyRole = z.infer<typeof KeyRole>;

/** Every key begins so, which lets scanners of repositories and logs recognise one. */
export const KEY_PREFIX = "sluice_";

/** Whether a caller with role `held` may do what asks for `needed`; null is a caller without any role. */
export function mayDo(held: KeyRole | null, needed: Role): boolean {
  if (needed === "public") return true;
  return held !== null && KEY_ROLES.indexOf(held) >= KEY_ROLES.indexOf(needed);
}

/** A key as it is listed. The key itself is shown once, when it is made. */
export const ApiKey = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  role: KeyRole,
  /** From then on it is refused; null means never. */
  expires: WireTime.nullable(),
  /** To the hour. Null until it is used. */
  last_used: WireTime.nullable(),
  /** From then on it is refused; null for a key that was not revoked. */
  revoked: WireTime.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** What a new key is to be. The server makes up the key itself. */
export const ApiKeyCreate = z.object({
  /** Names one key that is not revoked. */
  name: z.string().trim().min(1).max(LIMITS.nameChars),
  role: KeyRole,
  /** Must be in the future. Null or absent: never. */
  expires: WireTime.nullish(),
});
export type ApiKeyCreate = z.infer<typeof ApiKeyCreate>;

/** The answer to a creation: the only time that the key is shown. */
export const ApiKeyWithSecret = ApiKey.extend({ key: z.string() });
export type ApiKeyWithSecret = z.infer<typeof ApiKeyWithSecret>;

/** Who the caller is. */
export const Session = z.object({
  role: KeyRole,
  /** What made the caller known: an API key, the root key, the token of a run, or nothing, where the server is open. */
  by: z.enum(["api_key", "root_key", "run_token", "open"]),
  /** Of the API key; null otherwise. */
  key_id: Uuid.nullable(),
  key_name: z.string().nullable(),
  expires: WireTime.nullable(),
  /** True where everybody is admin: an embedded server on loopback without a root key. */
  open: z.boolean(),
});
export type Session = z.infer<typeof Session>;

const byId = z.object({ id: Uuid });

/** Tells who calls, and so whether a key is good: 401 where it is refused. A run's token is answered as a worker's. */
export const readSession = endpoint({
  id: "read_session",
  method: "GET",
  path: "/session",
  tag: "Access",
  role: "viewer",
  summary: "Who the caller is, and what they may do.",
  returns: Session,
});
/**
 * Checks a key and keeps it for 30 days in the cookie. Where a request has an Authorization header, the cookie is not
 * looked at. 401 for a key that is unknown, expired or revoked.
 */
export const signIn = endpoint({
  id: "sign_in",
  method: "POST",
  path: "/session/sign_in",
  tag: "Access",
  role: "public",
  summary: "Keep a key in a cookie that scripts cannot read, for the UI. 401 when the key is refused.",
  body: z.object({ key: z.string().min(1).max(LIMITS.nameChars) }),
  returns: Session,
});
/** Has the browser forget the cookie; also where nobody is signed in. */
export const signOut = endpoint({
  id: "sign_out",
  method: "POST",
  path: "/session/sign_out",
  tag: "Access",
  role: "public",
  status: 204,
  summary: "Forget the cookie of a sign-in. The key stays valid.",
});
/**
 * The answer is the only place where the key itself is shown. 409 when a key that is not revoked has the name; 422 when
 * `expires` is not in the future.
 */
export const createKey = endpoint({
  id: "create_key",
  method: "POST",
  path: "/keys/",
  tag: "Access",
  role: "admin",
  status: 201,
  summary: "Make an API key. It is shown in this answer only.",
  body: ApiKeyCreate,
  returns: ApiKeyWithSecret,
});
/** A name finds the key that has just this name. Keys that have expired are listed, until retention removes them. */
export const filterKeys = endpoint({
  id: "filter_keys",
  method: "POST",
  path: "/keys/filter",
  tag: "Access",
  role: "admin",
  summary: "List API keys, the newest first; those that were revoked only when asked for.",
  body: z
    .object({ keys: z.object({ name: z.string().nullish(), include_revoked: z.boolean().nullish() }).nullish() })
    .extend(Paging.shape),
  returns: z.array(ApiKey),
});
/** What is listed of one key, also when it is revoked or has expired. 404 when there is none. */
export const readKey = endpoint({
  id: "read_key",
  method: "GET",
  path: "/keys/:id",
  tag: "Access",
  role: "admin",
  summary: "Read an API key, without the key itself.",
  params: byId,
  returns: ApiKey,
});
/**
 * Ends the use of a key; its name is free again at once. A key that is revoked already keeps its time and is answered
 * as it is. 404 when there is none.
 */
export const revokeKey = endpoint({
  id: "revoke_key",
  method: "POST",
  path: "/keys/:id/revoke",
  tag: "Access",
  role: "admin",
  summary: "Revoke an API key: within half a minute nobody can use it. It stays listed.",
  params: byId,
  returns: ApiKey,
});
/** Nothing of the key stays listed, unlike after {@link revokeKey}. 404 when there is none. */
export const deleteKey = endpoint({
  id: "delete_key",
  method: "DELETE",
  path: "/keys/:id",
  tag: "Access",
  role: "admin",
  status: 204,
  summary: "Delete an API key, which also ends its use.",
  params: byId,
});
