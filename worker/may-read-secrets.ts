import type { Context } from "hono";
import { mayDo } from "#protocol/access";
import type { AppEnv } from "./serve.ts";

/**
 * Whether the caller of this request may read secrets in the clear, of blocks and of parameters: workers and their runs
 * may, whoever only looks may not. They get them obfuscated, as if `include_secrets` had not been asked for.
 */
export function mayReadSecrets(c: Context<AppEnv>): boolean {
  return mayDo(c.get("caller")?.role ?? null, "worker");
}
