import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { createApp } from "../../../worker/app.ts";
import { call } from "../support/api.ts";

const app = createApp();

function ask(
  path: string,
  headers: Record<string, string>,
  overrides: Partial<Env> & { SLUICE_ROOT_KEY?: string } = {},
): Response | Promise<Response> {
  return app.request(
    `http://localhost:4200${path}`,
    { headers: { host: "localhost:4200", ...headers } },
    { ...env, ...overrides },
  );
}

describe("who may talk to the API", () => {
  it.for([
    ["localhost:4200", 200],
    ["127.0.0.1:4200", 200],
    ["127.8.9.1", 200],
    ["[::1]:4200", 200],
    ["evil.example", 403],
    ["localhost.evil.example:4200", 403],
    ["127.0.0.1.evil.example", 403],
    ["", 403],
  ] as const)("a request for host %j gets %d from an embedded server", async ([host, status], { expect }) => {
    expect((await ask("/api/hello", { host })).status).toBe(status);
  });

  it.for([
    ["http://localhost:4200", 200],
    ["http://localhost:9999", 403],
    ["https://evil.example", 403],
    ["null", 403],
  ] as const)("a request from origin %j gets %d", async ([origin, status], { expect }) => {
    expect((await ask("/api/hello", { origin })).status).toBe(status);
  });

  it("names that are configured are its own too", async ({ expect }) => {
    const named = { SLUICE_ALLOWED_HOSTS: "sluice.lan, other:80" };
    expect((await ask("/api/hello", { host: "sluice.lan:4200" }, named)).status).toBe(200);
    expect((await ask("/api/hello", { host: "another.lan" }, named)).status).toBe(403);
  });

  it.for([
    [{}, 401],
    [{ authorization: "Bearer wrong" }, 401],
    [{ authorization: "Bearer s3cret" }, 200],
    [{ authorization: `Basic ${btoa("s3cret")}` }, 200],
    [{ authorization: `Basic ${btoa(":s3cret")}` }, 200],
    [{ authorization: "Basic %%%" }, 401],
  ] as const)("with a root key, %j gets %d", async ([headers, status], { expect }) => {
    expect((await ask("/api/hello", headers, { SLUICE_ROOT_KEY: "s3cret" })).status).toBe(status);
  });

  it.for(["/api/events/in", "/api/events/out", "/api/logs/out"])(
    "with a root key, %s is opened without it, and the first frame must bring it",
    async (path, { expect }) => {
      // 426: it got as far as the socket's own door.
      expect((await ask(path, {}, { SLUICE_ROOT_KEY: "s3cret" })).status).toBe(426);
      expect((await ask(path, {}, { SLUICE_MODE: "cloudflare" })).status).toBe(503);
    },
  );

  it("answers health without a key", async ({ expect }) => {
    expect((await ask("/api/health", {}, { SLUICE_ROOT_KEY: "s3cret" })).status).toBe(200);
  });

  it("answers nobody on Cloudflare until a root key is set", async ({ expect }) => {
    const answer = await ask("/api/hello", {}, { SLUICE_MODE: "cloudflare" });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("wrangler secret put SLUICE_ROOT_KEY");
  });

  it("has no internal route without the token of this start", async ({ expect }) => {
    expect((await call("POST", "/internal/migrate", { migrations: [] })).status).toBe(404);
  });

  it("describes itself", async ({ expect }) => {
    const { body } = await call<{ openapi: string; paths: Record<string, unknown> }>("GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(Object.keys(body.paths)).toContain("/flow_runs/{id}/set_state");
    expect(JSON.parse(JSON.stringify(body))).toEqual(body);
  });

  it("declines CSRF tokens in the words that Python clients know", async ({ expect }) => {
    const answer = await call<{ detail: string }>("GET", "/csrf-token?client=x");
    expect(answer).toMatchObject({ status: 422, body: { detail: "CSRF protection is disabled." } });
  });
});
