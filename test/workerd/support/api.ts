/** Calls the Worker as a client on the same machine does. */
import { exports } from "cloudflare:workers";

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export async function call<T = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const payload = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await exports.default.fetch(`http://localhost:4200/api${path}`, { method, headers, ...payload });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as T };
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

let made = 0;

/** A name that no other test uses. */
export function freshName(kind: string): string {
  made += 1;
  return `${kind}-${made}`;
}

export async function aFlow(name = freshName("flow")): Promise<Named> {
  return (await call<Named>("POST", "/flows/", { name })).body;
}

export async function aPool(name = freshName("pool")): Promise<Named> {
  return (await call<Named>("POST", "/work_pools/", { name, type: "process" })).body;
}

export async function aDeployment(more: Record<string, unknown> = {}): Promise<Named & { flow_id: string }> {
  const flow = await aFlow();
  const request = { name: freshName("deployment"), flow_id: flow.id, ...more };
  return (await call<Named & { flow_id: string }>("POST", "/deployments/", request)).body;
}
