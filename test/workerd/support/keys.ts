/** A server that asks for keys, and keys for it. */
import { env } from "cloudflare:workers";
import type { ApiKeyWithSecret, KeyRole } from "#protocol/access";
import { createApp } from "../../../worker/app.ts";
import { freshName } from "./api.ts";

export const ROOT_KEY = "the:root key";
/** The environment of a server with a root key. */
export const closedEnv = { ...env, SLUICE_ROOT_KEY: ROOT_KEY };

const app = createApp();

/** Asks the server that asks for keys. */
export async function ask(
  method: string,
  path: string,
  how: { readonly key?: string; readonly headers?: Record<string, string>; readonly body?: unknown } = {},
): Promise<Response> {
  const { key, headers = {}, body } = how;
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return await app.request(
    `http://localhost:4200/api${path}`,
    {
      method,
      headers: { host: "localhost:4200", ...authorization, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    },
    closedEnv,
  );
}

/** Makes a key as an admin does. */
export async function aKey(role: KeyRole, more: { readonly expires?: string } = {}): Promise<ApiKeyWithSecret> {
  const answer = await ask("POST", "/keys/", { key: ROOT_KEY, body: { name: freshName("key"), role, ...more } });
  if (answer.status !== 201) throw new Error(await answer.text());
  return answer.json();
}
