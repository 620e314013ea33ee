import type { Context } from "hono";
import type { AppEnv } from "./serve.ts";

/**
 * Whether the caller of this request may read the secrets of blocks in the clear. Whoever may not gets them
 * obfuscated, as if `include_secrets` had not been asked for. The guard has let nobody through without a key where one
 * is required, and the root key may read everything.
 */
export function mayReadSecrets(_c: Context<AppEnv>): boolean {
  return true;
}
