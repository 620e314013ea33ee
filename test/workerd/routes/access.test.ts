import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import type { ApiKey, Session } from "#protocol/access";
import { callerOf, forgetCallers, hashOf, roleOf } from "../../../durable-objects/caller.ts";
import { call, freshName } from "../support/api.ts";
import { aKey, ask, closedEnv, ROOT_KEY } from "../support/keys.ts";

const HOUR_MS = 60 * 60 * 1_000;

beforeEach(() => forgetCallers());

async function sessionWith(headers: Record<string, string>): Promise<{ status: number; session: Session }> {
  const answer = await ask("GET", "/session", { headers });
  return { status: answer.status, session: await answer.json() };
}

async function rowOf(id: string): Promise<Record<string, unknown> | null> {
  return env.DB.prepare("SELECT * FROM api_keys WHERE id = ?").bind(id).first();
}

function inHours(hours: number): string {
  return new Date(Date.now() + hours * HOUR_MS).toISOString();
}

describe("a key", () => {
  it("is 256 random bits behind a prefix, shown once and stored as its hash", async ({ expect }) => {
    const made = await aKey("worker");
    expect(made.key).toMatch(/^sluice_[A-Za-z0-9_-]{43}$/);
    expect((await aKey("worker")).key).not.toBe(made.key);
    const row = await rowOf(made.id);
    expect(row?.["hash"]).toBe(await hashOf(made.key));
    expect(JSON.stringify(row)).not.toContain(made.key);
    for (const [method, path, body] of [
      ["GET", `/keys/${made.id}`],
      ["POST", "/keys/filter", {}],
      ["POST", `/keys/${made.id}/revoke`],
    ] as const) {
      const answer = await ask(method, path, { key: ROOT_KEY, body });
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toMatch(/sluice_|hash/);
    }
  });

  it.for([
    ["Bearer", (key: string) => `Bearer ${key}`],
    ["bearer in lower case", (key: string) => `bearer ${key}`],
    ["Basic, the key alone", (key: string) => `Basic ${btoa(key)}`],
    ["Basic, behind a colon", (key: string) => `Basic ${btoa(`:${key}`)}`],
    ["Basic, behind a user", (key: string) => `Basic ${btoa(`somebody:${key}`)}`],
  ] as const)("is taken as %s", async ([, present], { expect }) => {
    const made = await aKey("operator");
    for (const [key, by] of [
      [made.key, "api_key"],
      [ROOT_KEY, "root_key"],
    ] as const) {
      expect(await sessionWith({ authorization: present(key) })).toMatchObject({ status: 200, session: { by } });
    }
  });

  it.for([
    {},
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: "Bearer sluice_short" },
    { authorization: `Bearer sluice_${"A".repeat(43)}` },
    { authorization: "Basic %%%" },
    { authorization: `Digest ${ROOT_KEY}` },
    { cookie: `key=${ROOT_KEY}` },
  ])("that is none gets 401: %j", async (headers, { expect }) => {
    const answer = await ask("GET", "/session", { headers: { ...headers } as Record<string, string> });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      exception_message: "Unauthorized",
      fix: expect.stringContaining("Bearer"),
    });
  });

  it("is refused from the moment at which it expires", async ({ expect }) => {
    const made = await aKey("viewer", { expires: inHours(1) });
    const expiresAt = Date.parse(made.expires ?? "");
    expect(await callerOf(closedEnv, made.key, expiresAt - 1)).toMatchObject({ role: "viewer" });
    expect(await callerOf(closedEnv, made.key, expiresAt)).toBe("expired");
  });

  it("must expire in the future, and have a role that there is", async ({ expect }) => {
    const name = freshName("key");
    const late = await ask("POST", "/keys/", { key: ROOT_KEY, body: { name, role: "viewer", expires: inHours(-1) } });
    expect(late.status).toBe(422);
    expect(await late.text()).toContain('"loc":["body","expires"]');
    expect((await ask("POST", "/keys/", { key: ROOT_KEY, body: { name, role: "public" } })).status).toBe(422);
  });

  it("is refused at once where it was revoked, and listed only when asked for", async ({ expect }) => {
    const made = await aKey("viewer");
    expect((await ask("GET", "/hello", { key: made.key })).status).toBe(200);
    const revoked = await ask("POST", `/keys/${made.id}/revoke`, { key: ROOT_KEY });
    const { revoked: at } = await revoked.json<ApiKey>();
    expect(at).not.toBeNull();
    const refused = await ask("GET", "/hello", { key: made.key });
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain("revoked");
    const again = await (await ask("POST", `/keys/${made.id}/revoke`, { key: ROOT_KEY })).json<ApiKey>();
    expect(again.revoked).toBe(at);
    const list = async (includeRevoked: boolean) => {
      const body = { keys: { name: made.name, include_revoked: includeRevoked } };
      return (await ask("POST", "/keys/filter", { key: ROOT_KEY, body })).json<ApiKey[]>();
    };
    expect(await list(false)).toEqual([]);
    expect(await list(true)).toEqual([again]);
  });

  it("is refused everywhere within half a minute after it was revoked elsewhere", async ({ expect }) => {
    const made = await aKey("viewer");
    const usedAt = Date.now();
    expect(await callerOf(closedEnv, made.key, usedAt)).toMatchObject({ role: "viewer" });
    await env.DB.prepare("UPDATE api_keys SET revoked = 1 WHERE id = ?").bind(made.id).run();
    expect(await callerOf(closedEnv, made.key, usedAt + 30_000)).toBe("revoked");
  });

  it("costs no query while it is remembered", async ({ expect }) => {
    const made = await aKey("viewer");
    const now = Date.now();
    await callerOf(closedEnv, made.key, now);
    const withoutD1 = { ...closedEnv, DB: undefined as unknown as D1Database };
    expect(await callerOf(withoutD1, made.key, now + 29_000)).toMatchObject({ role: "viewer" });
    expect(await callerOf(withoutD1, "no key of ours", now)).toBe("unknown");
  });

  it("that was deleted is gone", async ({ expect }) => {
    const made = await aKey("viewer");
    expect(await roleOf(closedEnv, made.key)).toBe("viewer");
    expect((await ask("DELETE", `/keys/${made.id}`, { key: ROOT_KEY })).status).toBe(204);
    expect(await roleOf(closedEnv, made.key)).toBeNull();
    expect((await ask("GET", `/keys/${made.id}`, { key: ROOT_KEY })).status).toBe(404);
  });

  it("shares its name with none that is in use", async ({ expect }) => {
    const made = await aKey("viewer");
    const body = { name: made.name, role: "viewer" };
    const taken = await ask("POST", "/keys/", { key: ROOT_KEY, body });
    expect(taken.status).toBe(409);
    expect(await taken.text()).toContain("sluice key revoke");
    await ask("POST", `/keys/${made.id}/revoke`, { key: ROOT_KEY });
    expect((await ask("POST", "/keys/", { key: ROOT_KEY, body })).status).toBe(201);
  });

  it("tells when it was last used, with one row written an hour", async ({ expect }) => {
    const made = await aKey("viewer");
    const start = Date.now();
    const useAt = async (spanMs: number): Promise<unknown> => {
      await callerOf(closedEnv, made.key, start + spanMs);
      return (await rowOf(made.id))?.["last_used"];
    };
    expect(made.last_used).toBeNull();
    expect(await useAt(0)).toBe(start);
    expect(await useAt(31_000)).toBe(start);
    expect(await useAt(HOUR_MS - 1)).toBe(start);
    expect(await useAt(HOUR_MS + 40_000)).toBe(start + HOUR_MS + 40_000);
  });
});

describe("GET /session", () => {
  it("tells who the caller is", async ({ expect }) => {
    const made = await aKey("operator", { expires: inHours(2) });
    expect((await sessionWith({ authorization: `Bearer ${made.key}` })).session).toEqual({
      role: "operator",
      by: "api_key",
      key_id: made.id,
      key_name: made.name,
      expires: made.expires,
      open: false,
    });
    const root = (await sessionWith({ authorization: `Bearer ${ROOT_KEY}` })).session;
    expect(root).toEqual({ role: "admin", by: "root_key", key_id: null, key_name: null, expires: null, open: false });
  });

  it("says so where everybody is admin, with whatever key", async ({ expect }) => {
    for (const headers of [{}, { authorization: "Bearer anything" }]) {
      const { body } = await call<Session>("GET", "/session", undefined, headers as Record<string, string>);
      expect(body).toMatchObject({ role: "admin", by: "open", open: true });
    }
  });
});
