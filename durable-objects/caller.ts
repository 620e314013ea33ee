/**
 * Who calls: found out from the key that is presented, in the Worker and in the objects whose sockets take the key in
 * their first frame. What is found is remembered for a short while, so that a key costs no query per request.
 */
import { KEY_PREFIX, type KeyRole } from "#protocol/access";
import type { FlowRunId } from "#protocol/ids";
import { ownerOf } from "./partition.ts";
import { type RunToken, readRunToken } from "./run-token.ts";
import { sameSecret } from "./same-secret.ts";
import { findKey, markUsed, type StoredKey } from "./storage/api-keys.ts";

export interface Caller {
  readonly role: KeyRole;
  readonly by: "api_key" | "root_key" | "run_token" | "open";
  /** Null unless `by` is "api_key". */
  readonly key: { readonly id: string; readonly name: string; readonly expires: number | null } | null;
  /** The run whose token it is; null unless `by` is "run_token". */
  readonly run: FlowRunId | null;
}

/** Why a presented key is not taken. `closed`: no key is, since the server has no root key and is not on loopback. */
export type Refusal = "unknown" | "expired" | "revoked" | "closed";

/** A revoked key is refused everywhere after this span at the latest. */
const REMEMBER_MS = 30_000;
const REMEMBERED_MAX = 1_000;
/** A written row costs money: last use is kept to the hour. */
const LAST_USED_STEP_MS = 60 * 60 * 1_000;
/** 32 bytes in base64url. */
const KEY_FORM = new RegExp(`^${KEY_PREFIX}[A-Za-z0-9_-]{43}$`);

const OPEN: Caller = { role: "admin", by: "open", key: null, run: null };
const ROOT: Caller = { role: "admin", by: "root_key", key: null, run: null };

/** Until when each is taken without asking. */
const goodTokens = new Map<string, number>();
const remembered = new Map<string, { readonly key: StoredKey | null; readonly until: number }>();

/** Whether everybody is admin: an embedded server on loopback without a root key. */
export function isOpen(env: Env): boolean {
  return !env.SLUICE_ROOT_KEY && env.SLUICE_MODE === "embedded";
}

/**
 * Who presents this key, or why it is refused. An empty text stands for no key. Clients of Prefect present an auth
 * string, which may be `user:key`: the key is then what follows the first colon, or else the whole.
 */
export async function callerOf(env: Env, presented: string, now = Date.now()): Promise<Caller | Refusal> {
  if (isOpen(env)) return OPEN;
  const rootKey = env.SLUICE_ROOT_KEY;
  if (!rootKey) return "closed";
  const behindUser = presented.slice(presented.indexOf(":") + 1);
  for (const given of new Set([presented, behindUser])) {
    if (await sameSecret(given, rootKey)) return ROOT;
  }
  const token = await readRunToken(rootKey, behindUser);
  if (token !== null) {
    const isGood = await tokenIsGood(env, behindUser, token, now);
    return isGood ? { role: "worker", by: "run_token", key: null, run: token.flowRunId } : "expired";
  }
  if (!KEY_FORM.test(behindUser)) return "unknown";
  const key = await lookUp(env.DB, await hashOf(behindUser), now);
  if (key === null) return "unknown";
  if (key.revoked !== null) return "revoked";
  if (key.expires !== null && key.expires <= now) return "expired";
  return { role: key.role, by: "api_key", key: { id: key.id, name: key.name, expires: key.expires }, run: null };
}

/** The role of whoever presents this key; null when the key is refused. */
export async function roleOf(env: Env, presented: string): Promise<KeyRole | null> {
  const caller = await callerOf(env, presented);
  return typeof caller === "string" ? null : caller.role;
}

/** SHA-256 of a key in hex, which is all of it that is stored. A key of 256 random bits needs no salt. */
export async function hashOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Makes a revocation hold here at once; elsewhere it holds when what is remembered has lapsed. */
export function forgetCallers(): void {
  remembered.clear();
  goodTokens.clear();
}

/** Asks the owner of the run, and remembers a good token for as long as a key. */
async function tokenIsGood(env: Env, presented: string, token: RunToken, now: number): Promise<boolean> {
  if ((goodTokens.get(presented) ?? 0) > now) return true;
  const owner = ownerOf(env.FLOW_RUNS, token.flowRunId);
  if (!(await owner?.honoursToken(token.flowRunId, token.generation))) return false;
  if (goodTokens.size >= REMEMBERED_MAX) goodTokens.clear();
  goodTokens.set(presented, now + REMEMBER_MS);
  return true;
}

async function lookUp(db: D1Database, hash: string, now: number): Promise<StoredKey | null> {
  const known = remembered.get(hash);
  if (known !== undefined && known.until > now) return known.key;
  const key = await findKey(db, hash);
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(hash, { key, until: now + REMEMBER_MS });
  if (key !== null && key.revoked === null && (key.last_used ?? 0) < now - LAST_USED_STEP_MS) {
    try {
      await markUsed(db, key.id, now, now - LAST_USED_STEP_MS);
    } catch (error) {
      // Who may do what does not depend on it.
      console.warn(`The last use of key "${key.name}" was not noted.`, error);
    }
  }
  return key;
}
