import { describe, it } from "vitest";
import { z } from "zod";
import { ENDPOINTS } from "#protocol/endpoints";

describe("the list of endpoints", () => {
  it("names each operation once", ({ expect }) => {
    const ids = ENDPOINTS.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const routes = ENDPOINTS.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ":x")}`);
    expect(routes.filter((route, index) => routes.indexOf(route) !== index)).toEqual([]);
  });

  it("declares every parameter of a path, and no other", ({ expect }) => {
    for (const { path, params } of ENDPOINTS) {
      const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
      const declared = params instanceof z.ZodObject ? Object.keys(params.shape) : [];
      expect(declared, path).toEqual(inPath);
    }
  });

  it("can be printed as JSON schema throughout", ({ expect }) => {
    for (const { id, body, returns } of ENDPOINTS) {
      for (const [schema, io] of [
        [body, "input"],
        [returns, "output"],
      ] as const) {
        if (schema) expect(() => z.toJSONSchema(schema, { io, unrepresentable: "any" }), id).not.toThrow();
      }
    }
  });
});
