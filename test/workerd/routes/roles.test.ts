/** Which role may call which route: every route with every role. */
import { describe, it } from "vitest";
import { z } from "zod";
import { KEY_ROLES, type KeyRole, mayDo } from "#protocol/access";
import { CHANNELS } from "#protocol/channels";
import type { Endpoint, Role } from "#protocol/endpoint";
import { ENDPOINTS } from "#protocol/endpoints";
import { createApp } from "../../../worker/app.ts";
import { aKey, ask, ROOT_KEY } from "../support/keys.ts";

const UNKNOWN_ID = "0193a000-0000-7000-8000-00000000dead";

interface Route {
  readonly method: string;
  readonly path: string;
  readonly role: Role;
  readonly how: { readonly body?: string; readonly headers?: Record<string, string> };
}

/** Requests that every route refuses for another reason once the role is enough: a test of roles changes nothing. */
const ROUTES: readonly Route[] = [
  ...ENDPOINTS.map((endpoint) => ({
    method: endpoint.method,
    path: pathTo(endpoint),
    role: endpoint.role,
    how: endpoint.body === undefined ? {} : { body: "{" },
  })),
  ...CHANNELS.filter(({ keyIn }) => keyIn === "header").map(({ path, role }) => ({
    method: "GET",
    path: path.replace(/:\w+/, UNKNOWN_ID),
    role,
    how: { headers: { upgrade: "websocket" } },
  })),
  { method: "GET", path: "/openapi.json", role: "viewer", how: {} },
];

function pathTo({ path, params }: Endpoint): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const schema = params instanceof z.ZodObject ? (params.shape[name] as z.ZodType) : z.string();
    return schema.safeParse("nobody-has-this-name").success ? "nobody-has-this-name" : UNKNOWN_ID;
  });
}

const keys = new Map<KeyRole, string>();
for (const role of KEY_ROLES) keys.set(role, (await aKey(role)).key);

const named = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);

describe("roles", () => {
  it("are in order: each may do what those before it may", ({ expect }) => {
    const table = KEY_ROLES.map((held) => KEY_ROLES.map((needed) => mayDo(held, needed)));
    expect(table).toEqual([
      [true, false, false, false],
      [true, true, false, false],
      [true, true, true, false],
      [true, true, true, true],
    ]);
    expect([mayDo(null, "public"), mayDo(null, "viewer")]).toEqual([true, false]);
  });

  it.for(named)("%s asks for its role", async ([, { method, path, role, how }], { expect }) => {
    const withoutKey = await ask(method, path, how);
    if (role === "public") expect([401, 403]).not.toContain(withoutKey.status);
    else expect(withoutKey.status).toBe(401);
    for (const held of KEY_ROLES) {
      const answer = await ask(method, path, { ...how, key: keys.get(held) ?? "" });
      const text = await answer.text();
      if (mayDo(held, role)) expect([401, 403], `${held}: ${text}`).not.toContain(answer.status);
      else {
        expect(answer.status, `${held}: ${text}`).toBe(403);
        expect(JSON.parse(text)).toMatchObject({ code: "forbidden" });
        expect(text).toContain(`needs the role ${role}; the key \\"key-`);
        expect(text).toContain(`has the role ${held}`);
      }
    }
    const asRoot = await ask(method, path, { ...how, key: ROOT_KEY });
    expect([401, 403]).not.toContain(asRoot.status);
  });

  it("are asked for by every route that there is", ({ expect }) => {
    const declared = new Set([...ENDPOINTS, ...CHANNELS].map(({ path }) => path.replace(/\/$/, "")));
    const others = createApp()
      .routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/"))
      .map(({ path }) => path.slice("/api".length).replace(/\/$/, ""))
      .filter((path) => !declared.has(path));
    expect(others.sort()).toEqual(["/internal/egress", "/internal/migrate", "/openapi.json"]);
  });

  it("does not tell strangers which paths there are", async ({ expect }) => {
    expect((await ask("GET", "/nothing")).status).toBe(401);
    expect((await ask("GET", "/nothing", { key: keys.get("viewer") ?? "" })).status).toBe(404);
  });
});
