/** The cookie with which the UI is signed in. */
import { describe, it } from "vitest";
import { cookieKey, keepingCookie } from "../../../worker/session-cookie.ts";
import { aKey, ask, ROOT_KEY } from "../support/keys.ts";

async function signIn(key: string): Promise<Response> {
  return await ask("POST", "/session/sign_in", { body: { key } });
}

/** What a browser sends back of a Set-Cookie header. */
function kept(answer: Response): Record<string, string> {
  return { cookie: (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
}

describe("signing in", () => {
  it("keeps a key in a cookie that scripts and other sites cannot use", async ({ expect }) => {
    const key = await aKey("viewer");
    const answer = await signIn(key.key);
    expect(await answer.json()).toMatchObject({ role: "viewer", by: "api_key", key_name: key.name });
    expect(answer.headers.get("set-cookie")).toMatch(
      /^sluice_key_4200=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
    );
    const session = await ask("GET", "/session", { headers: kept(answer) });
    expect(await session.json()).toMatchObject({ role: "viewer", key_name: key.name });
  });

  it("takes a root key with any letters", async ({ expect }) => {
    const answer = await signIn(ROOT_KEY);
    expect((await ask("GET", "/session", { headers: kept(answer) })).status).toBe(200);
  });

  it("refuses a key that is none, and keeps nothing", async ({ expect }) => {
    const answer = await signIn("sluice_wrong");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(await answer.json()).toMatchObject({ exception_message: "This key is not valid here." });
  });

  it("keeps what an open server takes for a key even where it is no text", ({ expect }) => {
    const cookie = keepingCookie("half \ud800", "http://localhost:4200/");
    expect(cookieKey(cookie, "http://localhost:4200/")).toBe("half \ufffd");
  });

  it("gives no page of another origin the key's rights", async ({ expect }) => {
    const headers = { ...kept(await signIn(ROOT_KEY)), origin: "http://localhost:9999" };
    expect((await ask("POST", "/flows/filter", { headers, body: {} })).status).toBe(403);
  });

  it("counts less than a key in the header", async ({ expect }) => {
    const headers = kept(await signIn(ROOT_KEY));
    expect((await ask("GET", "/session", { key: "sluice_wrong", headers })).status).toBe(401);
  });
});

describe("signing out", () => {
  it("forgets the cookie", async ({ expect }) => {
    const answer = await ask("POST", "/session/sign_out", { headers: kept(await signIn(ROOT_KEY)) });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("set-cookie")).toMatch(/^sluice_key_4200=; .*Max-Age=0$/);
    expect((await ask("GET", "/session", { headers: kept(answer) })).status).toBe(401);
  });
});
