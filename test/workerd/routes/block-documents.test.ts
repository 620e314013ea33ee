import { describe, it } from "vitest";
import { call, freshName } from "../support/api.ts";
import { aKind, aSchema, type BlockDocument, load, save } from "../support/blocks.ts";

const NOBODY = "0193a000-0000-7000-8000-00000000dead";
const names = (documents: readonly BlockDocument[]) => documents.map((document) => document.name);
const reference = (id: string) => ({ $ref: { block_document_id: id } });
const shown = "********";

describe("block documents", () => {
  it("keep their data, with every number as it was written", async ({ expect }) => {
    const kind = await aKind();
    const data = '{"text": "é", "list": [1, null], "empty": {}, "big": 12345678901234567890, "float": 60.0}';
    const request = `{"name": "${freshName("exact")}", "data": ${data}, "block_schema_id": "${kind.schemaId}", "block_type_id": "${kind.typeId}"}`;
    const made = await call<BlockDocument>("POST", "/block_documents/", request);
    expect(made).toMatchObject({
      status: 201,
      body: {
        block_type_name: kind.slug,
        block_type: { slug: kind.slug },
        block_schema: { id: kind.schemaId },
        block_document_references: {},
        is_anonymous: false,
      },
    });
    const { exports } = await import("cloudflare:workers");
    const answer = await exports.default.fetch(`http://localhost:4200/api/block_documents/${made.body.id}`);
    expect(await answer.text()).toContain('"big":12345678901234567890,"float":60.0');
  });

  it("have a name of their own within their type; anonymous ones get one", async ({ expect }) => {
    const [a, b] = [await aKind(), await aKind()];
    const name = freshName("taken");
    expect((await save(a, {}, { name })).status).toBe(201);
    expect((await save(a, {}, { name })).status).toBe(409);
    expect((await save(b, {}, { name })).status).toBe(201);
    const anonymous = await save(a, {}, { name: undefined, is_anonymous: true });
    expect(anonymous.body.name).toMatch(/^anonymous-/);
  });

  it.for([
    [{ name: undefined }, 422],
    [{ name: "" }, 422],
    [{ name: "a/b" }, 422],
    [{ name: "A_b" }, 422],
    [{ data: [] }, 422],
    [{ data: { b: { $ref: {} } } }, 400],
    [{ data: { b: { $ref: "x" } } }, 400],
    [{ data: { b: reference(NOBODY) } }, 409],
    [{ block_schema_id: NOBODY }, 409],
    [{ block_type_id: NOBODY }, 404],
    [{ data: { big: "x".repeat(1_000_001) } }, 422],
  ] as const)("refuse %j with %i", async ([more, status], { expect }) => {
    const kind = await aKind();
    expect((await save(kind, {}, more)).status).toBe(status);
    expect((await call("GET", `/block_types/slug/${kind.slug}/block_documents`)).body).toEqual([]);
  });

  it("are listed by type, name and capability, sorted and paged", async ({ expect }) => {
    const [a, b] = [await aKind({}, ["fly"]), await aKind({}, ["swim"])];
    for (const name of ["zebra", "ant"]) await save(a, {}, { name });
    await save(b, {}, { name: "mole" });
    await save(a, {}, { name: "ghost", is_anonymous: true });
    const types = { block_types: { slug: { any_: [a.slug, b.slug] } } };
    const list = async (filter: object) =>
      names((await call<BlockDocument[]>("POST", "/block_documents/filter", { ...types, ...filter })).body);
    expect(await list({})).toEqual(["ant", "mole", "zebra"]);
    expect(await list({ sort: "NAME_DESC" })).toEqual(["zebra", "mole", "ant"]);
    expect(await list({ sort: "BLOCK_TYPE_AND_NAME_ASC" })).toEqual(["ant", "zebra", "mole"]);
    expect(await list({ limit: 1, offset: 1 })).toEqual(["mole"]);
    expect(await list({ block_documents: null })).toEqual(["ant", "mole", "zebra"]);
    expect(await list({ block_documents: { is_anonymous: null } })).toEqual(["ant", "ghost", "mole", "zebra"]);
    expect(await list({ block_documents: { is_anonymous: { eq_: true } } })).toEqual(["ghost"]);
    expect(await list({ block_documents: { name: { like_: "OL" } } })).toEqual(["mole"]);
    expect(await list({ block_schemas: { block_capabilities: { all_: ["swim"] } } })).toEqual(["mole"]);
    expect(await list({ block_documents: { block_type_id: { any_: [b.typeId] } } })).toEqual(["mole"]);
    expect((await call("POST", "/block_documents/count", types)).body).toBe(3);
    const ofType = await call<BlockDocument[]>("GET", `/block_types/slug/${a.slug}/block_documents`);
    expect(names(ofType.body)).toEqual(["ant", "zebra"]);
    expect((await call("GET", `/block_types/slug/${a.slug}/block_documents/name/mole`)).status).toBe(404);
  });
});

describe("a change of a block document", () => {
  it.for([
    [{ data: { y: 9 } }, { x: 1, y: 9 }],
    [
      { data: { y: 9 }, merge_existing_data: true },
      { x: 1, y: 9 },
    ],
    [{ data: { y: 9 }, merge_existing_data: false }, { y: 9 }],
    [{ merge_existing_data: false }, {}],
    [{}, { x: 1, y: 2 }],
  ] as const)("%j makes it %j", async ([change, after], { expect }) => {
    const { id } = (await save(await aKind(), { x: 1, y: 2 })).body;
    expect((await call("PATCH", `/block_documents/${id}`, change)).status).toBe(204);
    expect((await load(id)).data).toEqual(after);
  });

  it("moves it to another schema of its type, and to no other", async ({ expect }) => {
    const kind = await aKind({ secret_fields: [] });
    const [newer, foreign] = [await aSchema(kind.typeId, { v: 2, secret_fields: ["x"] }), (await aKind()).schemaId];
    const { id } = (await save(kind, { x: "one" })).body;
    const change = (block_schema_id: string) => call("PATCH", `/block_documents/${id}`, { block_schema_id, data: {} });
    expect((await change(foreign)).status).toBe(400);
    expect((await change(NOBODY)).status).toBe(409);
    expect((await change(newer)).status).toBe(204);
    expect(await load(id, "")).toMatchObject({ block_schema_id: newer, data: { x: shown } });
    expect((await load(id)).data).toEqual({ x: "one" });
  });

  it("does not undo another that is made at the same time", async ({ expect }) => {
    const { id } = (await save(await aKind(), {})).body;
    const keys = ["a", "b", "c", "d", "e"];
    await Promise.all(keys.map((key) => call("PATCH", `/block_documents/${id}`, { data: { [key]: 1 } })));
    expect(Object.keys((await load(id)).data).sort()).toEqual(keys);
  });
});

describe("a reference to another block document", () => {
  it("is read as the other's data, at any depth", async ({ expect }) => {
    const [plain, secret] = [await aKind(), await aKind({ secret_fields: ["token"] })];
    const c = (await save(secret, { token: "t", z: 3 })).body;
    const b = (await save(plain, { c: reference(c.id), y: 2 })).body;
    const a = (await save(plain, { b: reference(b.id), x: 1 })).body;
    expect(a.data).toEqual({ x: 1, b: { y: 2, c: { z: 3, token: shown } } });
    expect((await load(a.id)).data).toEqual({ x: 1, b: { y: 2, c: { z: 3, token: "t" } } });
    expect(a.block_document_references).toMatchObject({
      b: {
        block_document: {
          id: b.id,
          name: b.name,
          block_type: { slug: plain.slug },
          is_anonymous: false,
          block_document_references: { c: { block_document: { id: c.id, block_document_references: {} } } },
        },
      },
    });
    await call("PATCH", `/block_documents/${b.id}`, { data: { y: 20 } });
    expect((await load(a.id, "")).data).toMatchObject({ b: { y: 20, c: { z: 3 } } });
  });

  it("is replaced, kept or taken away by a change", async ({ expect }) => {
    const kind = await aKind();
    const [b, c] = [(await save(kind, { n: "b" })).body, (await save(kind, { n: "c" })).body];
    const a = (await save(kind, { inner: reference(b.id), x: 1 })).body;
    const change = (body: unknown) => call("PATCH", `/block_documents/${a.id}`, body);
    await change({ data: { x: 2 } });
    expect((await load(a.id)).data).toEqual({ x: 2, inner: { n: "b" } });
    await change({ data: { inner: reference(c.id) } });
    expect((await load(a.id)).data).toEqual({ x: 2, inner: { n: "c" } });
    expect((await change({ data: { inner: reference(NOBODY) } })).status).toBe(409);
    await change({ data: { inner: {} }, merge_existing_data: false });
    expect(await load(a.id)).toMatchObject({ data: { inner: {} }, block_document_references: {} });
  });

  it("disappears with the other", async ({ expect }) => {
    const kind = await aKind();
    const b = (await save(kind, {})).body;
    const a = (await save(kind, { b: reference(b.id), x: 1 })).body;
    expect((await call("DELETE", `/block_documents/${b.id}`)).status).toBe(204);
    expect(await load(a.id)).toMatchObject({ data: { x: 1 }, block_document_references: {} });
  });

  it("cannot lead back to its own document", async ({ expect }) => {
    const kind = await aKind();
    const b = (await save(kind, {})).body;
    const a = (await save(kind, { b: reference(b.id) })).body;
    for (const target of [a.id, b.id]) {
      const answer = await call("PATCH", `/block_documents/${b.id}`, { data: { back: reference(target) } });
      expect(answer).toMatchObject({ status: 400, body: { code: "bad_reference" } });
    }
  });

  it("is refused where a reader would be sent more than 200 documents", async ({ expect }) => {
    const kind = await aKind();
    let { id } = (await save(kind, {})).body;
    // Two references to the one below: 2, 6, 14, 30, 62, 126, 254 documents.
    for (let level = 1; level <= 6; level++) {
      const made = await save(kind, { left: reference(id), right: reference(id) });
      expect(made.status).toBe(201);
      id = made.body.id;
    }
    expect((await save(kind, { left: reference(id), right: reference(id) })).status).toBe(422);
  });
});
