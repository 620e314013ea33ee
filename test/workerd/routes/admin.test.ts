import { describe, it } from "vitest";
import type { ServerSettings } from "#protocol/admin";
import type { SavedSearch } from "#protocol/saved-searches";
import { call, freshName } from "../support/api.ts";
import { aKind, save } from "../support/blocks.ts";
import { ask, ROOT_KEY } from "../support/keys.ts";

const BLOCK = "0193a000-0000-7000-8000-0000000b10c0";

describe("GET /admin/settings", () => {
  it("tells the configuration without any secret", async ({ expect }) => {
    const answer = await ask("GET", "/admin/settings", { key: ROOT_KEY });
    const text = await answer.text();
    expect(text).not.toContain(ROOT_KEY);
    expect(JSON.parse(text)).toMatchObject({
      server: { mode: "embedded" },
      api: { requires_key: true, page_rows: 200 },
      retention: { run_days: 30, event_days: 7, worker_days: 30, dead_letter_days: 30 },
    });
    const open = await call<ServerSettings>("GET", "/admin/settings");
    expect(open.body.api.requires_key).toBe(false);
  });
});

describe("/admin/storage", () => {
  it("keeps the block for results until it is cleared or deleted", async ({ expect }) => {
    const none = { default_result_storage_block_id: null };
    expect(await call("GET", "/admin/storage")).toEqual({ status: 200, body: none });
    const kind = await aKind({}, ["write-path"]);
    const blocks = [(await save(kind, {})).body.id, (await save(kind, {})).body.id];
    for (const id of blocks) {
      const set = { default_result_storage_block_id: id };
      expect(await call("PUT", "/admin/storage", set)).toEqual({ status: 200, body: set });
      expect((await call("GET", "/admin/storage")).body).toEqual(set);
    }
    await call("DELETE", `/block_documents/${blocks[1]}`);
    expect((await call("GET", "/admin/storage")).body).toEqual(none);
    await call("PUT", "/admin/storage", { default_result_storage_block_id: blocks[0] });
    for (const _ of ["clear", "clear again"]) expect((await call("DELETE", "/admin/storage")).status).toBe(204);
    expect((await call("GET", "/admin/storage")).body).toEqual(none);
  });

  it("takes only a block that is there and can be written to", async ({ expect }) => {
    const put = (id: string) => call("PUT", "/admin/storage", { default_result_storage_block_id: id });
    expect((await put(BLOCK)).status).toBe(404);
    expect((await put((await save(await aKind(), {})).body.id)).status).toBe(422);
  });

  it("refuses what is not an id", async ({ expect }) => {
    expect((await call("PUT", "/admin/storage", { default_result_storage_block_id: null })).status).toBe(422);
  });
});

describe("saved searches", () => {
  const filters = [
    { object: "flow_run", property: "state", type: "state", operation: "any", value: ["FAILED"] },
    { object: "flow", property: "name", type: "string", operation: "equals", value: null },
  ];

  it("are made once for each name, and their filters replaced afterwards", async ({ expect }) => {
    const name = freshName("search");
    const made = await call<SavedSearch>("PUT", "/saved_searches/", { name, filters });
    expect(made).toMatchObject({ status: 201, body: { name, filters } });
    const again = await call<SavedSearch>("PUT", "/saved_searches/", { name });
    expect(again).toMatchObject({ status: 200, body: { id: made.body.id, created: made.body.created, filters: [] } });
    expect((await call("GET", `/saved_searches/${made.body.id}`)).body).toEqual(again.body);
    expect((await call("DELETE", `/saved_searches/${made.body.id}`)).status).toBe(204);
    expect((await call("GET", `/saved_searches/${made.body.id}`)).status).toBe(404);
  });

  it("are listed by name, in pages", async ({ expect }) => {
    for (const name of ["b-search", "a-search", "c-search"]) await call("PUT", "/saved_searches/", { name, filters });
    const page = async (limit: number, offset: number) =>
      (await call<SavedSearch[]>("POST", "/saved_searches/filter", { limit, offset })).body.map(({ name }) => name);
    expect([await page(2, 0), await page(2, 2)]).toEqual([["a-search", "b-search"], ["c-search"]]);
  });
});
