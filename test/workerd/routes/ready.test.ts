/** A server before, during and after its first migration. Alone in its file: it takes the tables away. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, it } from "vitest";
import { createApp } from "../../../worker/app.ts";

const TOKEN = "token-of-this-start";
const app = createApp();

function ask(path: string, more: { token?: string; bootToken?: string; body?: string } = {}) {
  const { token, bootToken = TOKEN, body } = more;
  const headers = { host: "localhost:4200", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const request = { headers, ...(body === undefined ? {} : { method: "POST", body }) };
  return app.request(`http://localhost:4200/api${path}`, request, { ...env, SLUICE_BOOT_TOKEN: bootToken });
}

const migrations = env.TEST_MIGRATIONS.map(({ name, queries }) => ({ name, statements: queries }));
const migrate = (token: string, body = JSON.stringify({ migrations })) => ask("/internal/migrate", { token, body });

beforeAll(async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'",
  ).all<{ name: string }>();
  await env.DB.batch(results.map(({ name }) => env.DB.prepare(`DROP TABLE "${name}"`)));
});

describe("a server whose database has no schema", () => {
  it.for(["/health", "/ready", "/hello", "/flows/name/any", "/openapi.json", "/nothing"])(
    "answers %s with 503 and what to do",
    async (path, { expect }) => {
      const answer = await ask(path);
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain("wrangler d1 migrations apply");
    },
  );

  it("is migrated by nobody who has not the token of this start", async ({ expect }) => {
    expect((await migrate("another")).status).toBe(404);
    expect((await migrate("")).status).toBe(404);
    expect((await ask("/internal/migrate", { token: "", bootToken: "", body: "{}" })).status).toBe(404);
    expect((await ask("/health")).status).toBe(503);
  });

  it.for(["{", "null", "{}", '{"migrations":[{"name":"x","statements":[]}]}', ""])(
    "refuses %j as migrations",
    async (body, { expect }) => {
      expect((await migrate(TOKEN, body)).status).toBe(422);
    },
  );

  it("keeps nothing of a migration that fails, and names it", async ({ expect }) => {
    const broken = [{ name: "0000_broken.sql", statements: ["CREATE TABLE half (a)", "CREATE TABLE half (a)"] }];
    const answer = await migrate(TOKEN, JSON.stringify({ migrations: broken }));
    expect(answer.status).toBe(409);
    expect(await answer.text()).toContain("0000_broken");
    const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE name = 'half'").all();
    expect(results).toEqual([]);
  });

  it("applies each migration once, and is ready when it has the last one", async ({ expect }) => {
    const names = migrations.map(({ name }) => name.replace(/\.sql$/, ""));
    const firstOnly = await migrate(TOKEN, JSON.stringify({ migrations: migrations.slice(0, 1) }));
    expect(await firstOnly.json()).toEqual({ applied: names.slice(0, 1) });
    expect((await ask("/health")).status).toBe(migrations.length > 1 ? 503 : 200);
    expect(await (await migrate(TOKEN)).json()).toEqual({ applied: names.slice(1) });
    expect(await (await migrate(TOKEN)).json()).toEqual({ applied: [] });
    expect(await (await ask("/health")).json()).toBe(true);
  });
});
