import { describe, it } from "vitest";
import { SYSTEM_BLOCKS } from "../../../worker/blocks/system-blocks.ts";
import { call, freshName } from "../support/api.ts";
import { aKind, save } from "../support/blocks.ts";

interface Type {
  readonly id: string;
  readonly slug: string;
  readonly updated: string;
}

/** The checksums under which Prefect 3.8.8 looks for its own system blocks. */
const CHECKSUMS = {
  webhook: "sha256:58bb03f0d84592252ad568ed9a8c899792ae5d0ad2dd4a2428e99674f9050cf1",
  secret: "sha256:c078ed9c1e813e224c0b353d7ad4564a11d51d3198d9ac0686478165a1911c78",
  "local-file-system": "sha256:0fc8b7f936f38f465715ef2df4a817ac9fe38b80bb01d5c6c9649a6da6ae6971",
};

describe("the block types of the system", () => {
  it.for(Object.entries(CHECKSUMS))("include %s, found by Prefect's checksum", async ([slug, checksum], { expect }) => {
    const type = await call<Type>("GET", `/block_types/slug/${slug}`);
    expect(type).toMatchObject({ status: 200, body: { slug, is_protected: true } });
    const schema = await call<Type>("GET", `/block_schemas/checksum/${checksum}?version=3.8.8`);
    expect(schema).toMatchObject({
      status: 200,
      body: {
        block_type: { slug },
        fields: { properties: SYSTEM_BLOCKS.find((block) => block.slug === slug)?.fields["properties"] },
      },
    });
    expect((await call("GET", `/block_schemas/checksum/${checksum}?version=0.0.1`)).status).toBe(404);
    for (const path of [`/block_types/${type.body.id}`, `/block_schemas/${schema.body.id}`]) {
      expect(await call("DELETE", path)).toMatchObject({ status: 403, body: { code: "forbidden" } });
    }
  });

  it("are installed once, however often that is asked for", async ({ expect }) => {
    const before = (await call<Type[]>("POST", "/block_types/filter", {})).body;
    expect((await call("POST", "/block_types/install_system_block_types")).status).toBe(200);
    expect((await call<Type[]>("POST", "/block_types/filter", {})).body).toEqual(before);
  });
});

describe("block types", () => {
  it("are created with a slug of their own, shown escaped, and changed as given", async ({ expect }) => {
    const slug = freshName("type");
    const request = { name: "X", slug, description: "a < b & c" };
    const made = await call<Type>("POST", "/block_types/", request);
    expect(made).toMatchObject({ status: 201, body: { slug, description: "a &lt; b &amp; c", is_protected: false } });
    expect((await call("POST", "/block_types/", request)).status).toBe(409);
    const path = `/block_types/${made.body.id}`;
    expect((await call("PATCH", path, { description: "a < b & c" })).status).toBe(204);
    expect((await call<Type>("GET", path)).body.updated).toBe(made.body.updated);
    expect((await call("PATCH", path, { description: null, logo_url: "http://x" })).status).toBe(204);
    expect((await call("GET", path)).body).toMatchObject({ description: null, logo_url: "http://x", name: "X" });
  });

  it.for([
    [{ name: "Prefect thing", slug: "thing" }, 403],
    [{ name: "a/b", slug: "thing" }, 422],
    [{ name: "a", slug: "A_b" }, 422],
    [{ name: "a" }, 422],
  ] as const)("refuse %j with %i", async ([request, status], { expect }) => {
    expect((await call("POST", "/block_types/", request)).status).toBe(status);
  });

  it("are listed by name, slug and the capabilities of their schemas", async ({ expect }) => {
    const capability = freshName("capability");
    const kind = await aKind({}, [capability]);
    const list = async (filter: unknown) =>
      (await call<Type[]>("POST", "/block_types/filter", filter)).body.map((type) => type.slug);
    expect(await list({ block_schemas: { block_capabilities: { all_: [capability] } } })).toEqual([kind.slug]);
    expect(await list({ block_types: { name: { like_: kind.slug.toUpperCase() } } })).toContain(kind.slug);
    expect(await list({ block_types: { slug: { any_: [kind.slug, "secret"] } } })).toEqual(
      ["Secret", kind.slug].sort().map((name) => name.toLowerCase()),
    );
    expect(await list({ limit: 1, offset: 1 })).toHaveLength(1);
    expect((await call<string[]>("GET", "/block_capabilities/")).body).toContain(capability);
  });

  it("take their schemas and documents with them", async ({ expect }) => {
    const kind = await aKind();
    const document = (await save(kind, {})).body;
    expect((await call("DELETE", `/block_types/${kind.typeId}`)).status).toBe(204);
    for (const path of [`/block_schemas/${kind.schemaId}`, `/block_documents/${document.id}`]) {
      expect((await call("GET", path)).status).toBe(404);
    }
    expect((await call("GET", `/block_types/slug/${kind.slug}/block_documents`)).status).toBe(404);
  });
});

describe("the collections", () => {
  it("have a job template for each worker type whose placeholders are variables", async ({ expect }) => {
    type Worker = { default_base_job_configuration: { job_configuration: object; variables: { properties: object } } };
    const view = await call<Record<string, Record<string, Worker>>>(
      "GET",
      "/collections/views/aggregate-worker-metadata",
    );
    const workers = Object.values(view.body).flatMap((types) => Object.entries(types));
    expect(workers.map(([type]) => type)).toEqual(
      expect.arrayContaining(["process", "docker", "kubernetes", "ecs", "cloud-run", "vertex-ai"]),
    );
    for (const [, { default_base_job_configuration: template }] of workers) {
      const placeholders = JSON.stringify(template.job_configuration).matchAll(/{{ (\w+) }}/g);
      for (const [, name] of placeholders) expect(template.variables.properties).toHaveProperty(name ?? "");
    }
  });
});
