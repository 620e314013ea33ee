/** Secrets of blocks: at rest, on the wire, and when keys change. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, it } from "vitest";
import { createApp } from "../../worker/app.ts";
import { openKeyring, seal, unseal } from "../../worker/blocks/keyring.ts";
import { joinSecrets, splitSecrets } from "../../worker/blocks/secret-fields.ts";
import { call, freshName } from "./support/api.ts";
import { aKind, type BlockDocument, load, save } from "./support/blocks.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      SLUICE_ENCRYPTION_KEYS?: string;
    }
  }
}

const shown = "********";
const aKey = (seed: string) => btoa(seed.padEnd(32, ".").slice(0, 32));
const TESTS_KEY = env.SLUICE_ENCRYPTION_KEYS ?? "";

/** Calls the Worker as it is with other keys. */
async function callWith<T>(keys: string, method: string, path: string, body?: unknown) {
  const request = new Request(`http://localhost:4200/api${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await createApp().fetch(request, { ...env, SLUICE_ENCRYPTION_KEYS: keys });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
}

async function rowOf(id: string): Promise<Record<string, unknown>> {
  return (await env.DB.prepare("SELECT * FROM block_documents WHERE id = ?").bind(id).first()) ?? {};
}

describe("a secret", () => {
  const fields = { secret_fields: ["token", "login.password", "headers.*", "value", "list"] };
  const data = {
    plain: "to be seen",
    token: "s3cret-token",
    login: { user: "ada", password: "s3cret-password" },
    headers: { "x-key": "s3cret-header", deep: { er: "s3cret-deeper" } },
    value: { of: "s3cret-value" },
    list: ["s3cret-item"],
  };
  const obfuscated = {
    plain: "to be seen",
    token: shown,
    login: { user: "ada", password: shown },
    headers: { "x-key": shown, deep: { er: shown } },
    value: { of: shown },
    list: shown,
  };

  it("is encrypted in D1, obfuscated for whoever does not ask, and there for whoever does", async ({ expect }) => {
    const kind = await aKind(fields);
    const made = await save(kind, data);
    expect(made.body.data).toEqual(obfuscated);
    const row = JSON.stringify(await rowOf(made.body.id));
    expect(row).toContain("to be seen");
    expect(row).not.toContain("s3cret");
    expect(row).not.toContain(btoa("s3cret-token").slice(0, -4));
    const paths = [
      `/block_documents/${made.body.id}`,
      `/block_types/slug/${kind.slug}/block_documents/name/${made.body.name}`,
    ];
    for (const path of paths) {
      expect((await call<BlockDocument>("GET", path)).body.data).toEqual(obfuscated);
      expect((await call<BlockDocument>("GET", `${path}?include_secrets=false`)).body.data).toEqual(obfuscated);
      expect((await call<BlockDocument>("GET", `${path}?include_secrets=true`)).body.data).toEqual(data);
    }
    const list = async (include_secrets: boolean) => {
      const filter = { block_documents: { id: { any_: [made.body.id] } }, include_secrets };
      return (await call<BlockDocument[]>("POST", "/block_documents/filter", filter)).body[0]?.data;
    };
    expect(await list(false)).toEqual(obfuscated);
    expect(await list(true)).toEqual(data);
    const ofType = `/block_types/slug/${kind.slug}/block_documents`;
    expect((await call<BlockDocument[]>("GET", ofType)).body[0]?.data).toEqual(obfuscated);
    expect((await call<BlockDocument[]>("GET", `${ofType}?include_secrets=true`)).body[0]?.data).toEqual(data);
  });

  it("is left as it is when it is sent back obfuscated, and changed when it is not", async ({ expect }) => {
    const { id } = (await save(await aKind(fields), data)).body;
    await call("PATCH", `/block_documents/${id}`, { data: { ...obfuscated, plain: "new" } });
    expect((await load(id)).data).toEqual({ ...data, plain: "new" });
    const change = { token: "other", headers: { "x-key": shown, more: "m" } };
    await call("PATCH", `/block_documents/${id}`, { data: change });
    expect((await load(id)).data).toEqual({
      ...data,
      plain: "new",
      token: "other",
      headers: { "x-key": "s3cret-header", more: "m" },
    });
    await call("PATCH", `/block_documents/${id}`, { data: { plain: 1 }, merge_existing_data: false });
    expect(await rowOf(id)).toMatchObject({ secrets: null, secrets_key_id: null });
  });

  it("cannot be moved to another document", async ({ expect }) => {
    const kind = await aKind(fields);
    const [a, b] = [(await save(kind, { token: "a" })).body.id, (await save(kind, { token: "b" })).body.id];
    await env.DB.prepare(
      "UPDATE block_documents SET secrets = (SELECT secrets FROM block_documents WHERE id = ?1) WHERE id = ?2",
    )
      .bind(a, b)
      .run();
    const answer = await call("GET", `/block_documents/${b}?include_secrets=true`);
    expect(answer).toMatchObject({ status: 503, body: { code: "not_configured" } });
    expect((await load(b, "")).data).toEqual({ token: shown });
  });
});

describe("without a key", () => {
  it("a secret is refused with the command to run, and everything else is served", async ({ expect }) => {
    const kind = await aKind({ secret_fields: ["token"] });
    const request = { block_schema_id: kind.schemaId, block_type_id: kind.typeId };
    const secret = { ...request, name: freshName("none"), data: { token: "t" } };
    const answer = await callWith<{ fix: string }>("", "POST", "/block_documents/", secret);
    expect(answer).toMatchObject({ status: 503, body: { code: "not_configured" } });
    expect(answer.body.fix).toContain("wrangler secret put SLUICE_ENCRYPTION_KEYS");
    const plain = { ...request, name: freshName("none"), data: { token: null, x: 1 } };
    expect((await callWith("", "POST", "/block_documents/", plain)).status).toBe(201);
  });

  it.for(["short", "%%%", `${aKey("a")},AAAA`])(
    "as in %j, the setting is not repeated in the error",
    async (keys, { expect }) => {
      const answer = await callWith<{ code: string }>(keys, "POST", "/block_documents/rotate", {});
      expect(answer).toMatchObject({ status: 503, body: { code: "not_configured" } });
      expect(JSON.stringify(answer.body)).not.toContain(keys);
    },
  );
});

describe("a rotation of keys", () => {
  it("reads with any key, writes with the first, and moves all to it in pages", async ({ expect }) => {
    const kind = await aKind({ secret_fields: ["token"] });
    const ids: string[] = [];
    for (const token of ["one", "two", "three"]) ids.push((await save(kind, { token })).body.id);
    const before = await Promise.all(ids.map(rowOf));
    const both = `${aKey("newer")}, ${TESTS_KEY}`;
    const read = async (keys: string, id: string) =>
      (await callWith<BlockDocument>(keys, "GET", `/block_documents/${id}?include_secrets=true`)).body.data;
    expect(await read(both, ids[0] ?? "")).toEqual({ token: "one" });

    type Rotation = { rotated: number; remaining: number; unreadable: number };
    const rotate = async (limit: number) =>
      (await callWith<Rotation>(both, "POST", "/block_documents/rotate", { limit })).body;
    const first = await rotate(1);
    expect(first.remaining).toBeGreaterThan(0);
    for (let left = first.remaining; left > 0; ) left = (await rotate(2)).remaining;
    expect(await rotate(1)).toMatchObject({ rotated: 0, remaining: 0 });

    const after = await Promise.all(ids.map(rowOf));
    for (const [at, id] of ids.entries()) {
      expect(after[at]?.["secrets"]).not.toBe(before[at]?.["secrets"]);
      expect(await read(aKey("newer"), id)).toEqual({ token: ["one", "two", "three"][at] });
    }
    const lost = await callWith<Rotation>(aKey("lost"), "POST", "/block_documents/rotate", {});
    expect(lost.body).toMatchObject({ rotated: 0, remaining: 0, unreadable: expect.any(Number) });
    expect(lost.body.unreadable).toBeGreaterThanOrEqual(3);
  });

  it("goes on past secrets that cannot be read, and leaves them as they are", async ({ expect }) => {
    const kind = await aKind({ secret_fields: ["token"] });
    const ids: string[] = [];
    for (const token of ["one", "two"]) ids.push((await save(kind, { token })).body.id);
    const [spoilt = "", good = ""] = ids;
    const envelope = String((await rowOf(spoilt))["secrets"]).replace(/.{8}$/, "AAAAAAAA");
    await env.DB.prepare("UPDATE block_documents SET secrets = ? WHERE id = ?").bind(envelope, spoilt).run();
    const keys = `${aKey("newest")},${TESTS_KEY}`;
    const rotation = await callWith<{ remaining: number; unreadable: number }>(
      keys,
      "POST",
      "/block_documents/rotate",
      {
        limit: 200,
      },
    );
    expect(rotation.body.remaining).toBe(0);
    expect(rotation.body.unreadable).toBeGreaterThan(0);
    expect(await rowOf(spoilt)).toMatchObject({ secrets: envelope });
    const read = await callWith<BlockDocument>(aKey("newest"), "GET", `/block_documents/${good}?include_secrets=true`);
    expect(read.body.data).toEqual({ token: "two" });
  });

  it("opens nothing with a key that is not in the ring, nor for another owner", async ({ expect }) => {
    const ring = await openKeyring({ SLUICE_ENCRYPTION_KEYS: aKey("a") });
    const other = await openKeyring({ SLUICE_ENCRYPTION_KEYS: aKey("b") });
    const { envelope } = await seal(ring, "text", "me");
    expect(await unseal(ring, envelope, "me")).toBe("text");
    await expect(unseal(other, envelope, "me")).rejects.toMatchObject({ code: "not_configured" });
    await expect(unseal(ring, envelope, "you")).rejects.toMatchObject({ code: "not_configured" });
    await expect(unseal(ring, "nonsense", "me")).rejects.toMatchObject({ code: "not_configured" });
  });
});

/**
 * Teeth: with lists not descended into, the second fails with {"a":[{"a":"SECRET"}]} and the field "a.a"; with a key
 * never taken for several parts of a path, with {"a.b":"SECRET"} and the field "a.b".
 */
describe("the paths of secret fields", () => {
  const key = fc.constantFrom("a", "b", "a.b", "__proto__", "");
  const leaf = fc.constantFrom<unknown>("x", 1, null, true, {}, []);
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.dictionary(key, tie("tree")),
      fc.array(tie("tree")),
    ),
  }));
  const data = fc.dictionary(key, tree) as fc.Arbitrary<Record<string, unknown>>;
  const step = fc.constantFrom("a", "b", "*");
  const secretField = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join("."));

  it("take out and put back, and what is taken out is nowhere in what is shown", ({ expect }) => {
    fc.assert(
      fc.property(data, fc.array(secretField, { maxLength: 3 }), (given, secretFields) => {
        const { shown: visible, secrets } = splitSecrets(given, secretFields);
        expect(joinSecrets(visible, secrets)).toEqual(given);
        expect(splitSecrets(visible, secretFields).secrets.every(([, value]) => value === shown)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("find a secret wherever a path of keys, through lists or not, leads to it", ({ expect }) => {
    const path = fc.array(fc.constantFrom("a", "b", "a.b"), { minLength: 1, maxLength: 4 });
    const wrap = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(path, wrap, fc.nat(4), (keys, inList, cut) => {
        const whole = keys.reduceRight<unknown>((inner, name, at) => {
          return { [name]: at < keys.length - 1 && inList[at] ? [inner] : inner };
        }, "SECRET") as Record<string, unknown>;
        const field = cut < keys.length ? [...keys.slice(0, cut), "*"].join(".") : keys.join(".");
        expect(JSON.stringify(splitSecrets(whole, [field]).shown)).not.toContain("SECRET");
      }),
      { numRuns: 1_000 },
    );
  });
});
