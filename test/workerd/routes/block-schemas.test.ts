import { describe, it } from "vitest";
import { parseExact } from "../../../worker/blocks/exact-json.ts";
import { schemaChecksum } from "../../../worker/blocks/schema-checksum.ts";
import { call, freshName } from "../support/api.ts";
import { aKind, type Kind, save } from "../support/blocks.ts";

interface Schema {
  readonly id: string;
  readonly checksum: string;
  readonly fields: Record<string, unknown>;
}

const create = (kind: Kind, fields: unknown, more: Record<string, unknown> = {}) =>
  call<Schema>("POST", "/block_schemas/", { block_type_id: kind.typeId, fields, ...more });

describe("the checksum of a schema", () => {
  it.for([
    // Made with Prefect 3.8.8.
    ["{}", "sha256:f8e6e96abbc38504d4e9c99fc57281fa0026bede1fa42db79f22f984501710f4"],
    ['{"default": 60.0}', "sha256:71dc1ed7e482d1eecdee2668464e4a914b150f353e2fd44e941d2dba01d3c7ae"],
    ['{"default": 60}', "sha256:f93a91a9da8f0240462a5d870e6e165c3cde25a711a0687901a575487a45ed53"],
    [
      '{"b": [1e16, 1e-5, 0.0001, -0.0, 1180591620717411303424], "a": "é\u007f😀"}',
      "sha256:189ec1719b63b80b163394124e4f1ea80f939eb1a5a6b6352cc7047e87e3d47e",
    ],
    [
      '{"\uffff": 1, "😀": 2, "a": {"secret_fields": 1}, "l": [{"secret_fields": 1}]}',
      "sha256:2ea686b31536d1f9828124b89b9e18719915a1e63a9ed4dffd4d45ceb15137da",
    ],
    [
      '{"definitions": {"A": {"t": 1}}, "p": {"$ref": "#/definitions/A"}}',
      "sha256:aa5f5af88f3a4e6897ca3ea7f4c7807f2b2b558e34eb88a63567469029527f19",
    ],
    [
      '{"definitions": {"A": {"block_type_slug": "a"}}, "p": {"$ref": "#/definitions/A"}}',
      "sha256:b277ff9bf9abbe23eef3f71f9f247663e6e7dfa02b303a80e1e83c494021fe1c",
    ],
  ] as const)("of %s is that of Prefect", async ([fields, checksum], { expect }) => {
    expect(await schemaChecksum(parseExact(fields) as Record<string, unknown>)).toBe(checksum);
  });
});

describe("block schemas", () => {
  it("with one checksum and version are one, and several versions of it are several", async ({ expect }) => {
    const kind = await aKind();
    const fields = { title: freshName("schema"), properties: { x: { type: "integer" } } };
    const first = await create(kind, fields);
    expect(first).toMatchObject({ status: 201, body: { version: "non-versioned", capabilities: [] } });
    expect(await create(kind, { ...fields, secret_fields: ["x"] })).toMatchObject({
      status: 200,
      body: { id: first.body.id },
    });
    const second = await create(kind, fields, { version: "2" });
    expect(second).toMatchObject({ status: 201, body: { checksum: first.body.checksum } });
    const path = `/block_schemas/checksum/${first.body.checksum}`;
    expect((await call<Schema>("GET", path)).body.id).toBe(second.body.id);
    expect((await call<Schema>("GET", `${path}?version=non-versioned`)).body.id).toBe(first.body.id);
  });

  it("keep their numbers as they were written", async ({ expect }) => {
    const kind = await aKind();
    const title = freshName("exact");
    const body = `{"block_type_id": "${kind.typeId}", "fields": {"title": "${title}", "default": 60.0, "big": 12345678901234567890}}`;
    const made = await call<Schema>("POST", "/block_schemas/", body);
    const fields = parseExact(`{"title": "${title}", "default": 60.0, "big": 12345678901234567890}`);
    expect(made.body.checksum).toBe(await schemaChecksum(fields as Record<string, unknown>));
  });

  it("are found by type, capability and version, the newest first", async ({ expect }) => {
    const kind = await aKind({}, ["fly"]);
    const made = await create(kind, { title: freshName("s") }, { version: "7", capabilities: ["fly", "swim"] });
    const list = async (filter: object) =>
      (
        await call<Schema[]>("POST", "/block_schemas/filter", {
          block_schemas: { block_type_id: { any_: [kind.typeId] }, ...filter },
        })
      ).body.map((schema) => schema.id);
    expect(await list({})).toEqual([made.body.id, kind.schemaId]);
    expect(await list({ block_capabilities: { all_: ["fly", "swim"] } })).toEqual([made.body.id]);
    expect(await list({ version: { any_: ["non-versioned"] } })).toEqual([kind.schemaId]);
    expect(await list({ operator: "or_", block_type_id: { any_: [] }, version: { any_: ["7"] } })).toEqual([
      made.body.id,
    ]);
  });

  it("take their documents with them", async ({ expect }) => {
    const kind = await aKind();
    const document = (await save(kind, {})).body;
    expect((await call("DELETE", `/block_schemas/${kind.schemaId}`)).status).toBe(204);
    expect((await call("GET", `/block_documents/${document.id}`)).status).toBe(404);
  });

  it("need a type that is there", async ({ expect }) => {
    const id = "0193a000-0000-7000-8000-00000000dead";
    expect((await call("POST", "/block_schemas/", { block_type_id: id })).status).toBe(404);
  });
});

describe("a schema that nests another", () => {
  const childFields = (kind: Kind) => ({
    title: kind.slug,
    block_type_slug: kind.slug,
    block_schema_references: {},
    properties: { y: { $ref: "#/definitions/Plain" } },
  });
  const plain = { Plain: { title: "Plain", type: "object" } };
  const parentFields = (child: Kind, checksum: string) => ({
    title: freshName("parent"),
    block_schema_references: { inner: { block_type_slug: child.slug, block_schema_checksum: checksum } },
    properties: { inner: { $ref: `#/definitions/${child.slug}` } },
    definitions: { [child.slug]: childFields(child), ...plain },
  });

  it("stores the other on its own, and shows it among its definitions", async ({ expect }) => {
    const [outer, inner] = [await aKind(), await aKind()];
    const checksum = await schemaChecksum({ ...childFields(inner), definitions: plain });
    const fields = parentFields(inner, checksum);
    const made = await create(outer, fields);
    expect(made).toMatchObject({ status: 201, body: { checksum: await schemaChecksum(fields), fields } });
    const child = await call<Schema>("GET", `/block_schemas/checksum/${checksum}`);
    expect(child.body).toMatchObject({ block_type_id: inner.typeId, fields: childFields(inner) });
    const read = (await call<Schema>("GET", `/block_schemas/${made.body.id}`)).body;
    expect(read.fields).toEqual({
      ...fields,
      definitions: { [inner.slug]: childFields(inner), ...plain },
    });
    expect((await create(outer, read.fields)).status).toBe(200);
  });

  it("is refused if the other's type is unknown, or the other is not defined", async ({ expect }) => {
    const [outer, inner] = [await aKind(), await aKind()];
    const unknown = parentFields({ ...inner, slug: "nobody" }, "sha256:0");
    expect((await create(outer, unknown)).status).toBe(409);
    expect((await create(outer, { ...parentFields(inner, "sha256:0"), definitions: {} })).status).toBe(422);
    expect((await create(outer, { block_schema_references: { x: 1 } })).status).toBe(422);
  });

  it("is read to its end although two schemas nest each other", async ({ expect }) => {
    const [a, b] = [await aKind(), await aKind()];
    const each = (self: Kind, other: Kind) => ({
      title: self.slug,
      block_type_slug: self.slug,
      block_schema_references: {
        other: { block_type_slug: other.slug, block_schema_checksum: `sha256:${other.slug}` },
      },
      properties: { other: { $ref: `#/definitions/${other.slug}` } },
    });
    const definitions = { [a.slug]: each(a, b), [b.slug]: each(b, a) };
    const made = await create(a, { ...each(a, b), definitions });
    expect(made.status).toBe(201);
    expect((await call("GET", `/block_schemas/${made.body.id}`)).status).toBe(200);
  });
});
