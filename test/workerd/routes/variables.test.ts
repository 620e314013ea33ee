import { describe, it } from "vitest";
import { call, freshName } from "../support/api.ts";

interface Variable {
  readonly id: string;
  readonly name: string;
  readonly value: unknown;
}

describe("variables", () => {
  it.for([["text"], [7], [true], [null], [{ a: [1] }], [[1, 2]]] as const)(
    "keep %j as it is",
    async ([value], { expect }) => {
      const name = freshName("variable");
      const made = await call<Variable>("POST", "/variables/", { name, value });
      expect(made).toMatchObject({ status: 201, body: { name, value, tags: [] } });
      expect((await call("GET", `/variables/name/${name}`)).body).toMatchObject({ value });
      expect((await call("GET", `/variables/${made.body.id}`)).body).toMatchObject({ name });
    },
  );

  it("have a name of their own", async ({ expect }) => {
    const [a, b] = [freshName("variable"), freshName("variable")];
    for (const name of [a, b]) await call("POST", "/variables/", { name, value: 1 });
    expect((await call("POST", "/variables/", { name: a, value: 2 })).status).toBe(409);
    expect((await call("PATCH", `/variables/name/${a}`, { name: b })).status).toBe(409);
  });

  it("are changed, listed by tag and name, counted and deleted", async ({ expect }) => {
    const name = freshName("colour");
    await call("POST", "/variables/", { name, value: "red", tags: ["paint"] });
    expect((await call("PATCH", `/variables/name/${name}`, { value: null, tags: ["paint", "new"] })).status).toBe(204);
    const filter = { variables: { name: { like_: "COLOUR" }, tags: { all_: ["new"] } } };
    expect((await call<Variable[]>("POST", "/variables/filter", filter)).body).toMatchObject([{ name, value: null }]);
    expect((await call<number>("POST", "/variables/count", filter)).body).toBe(1);
    expect((await call("DELETE", `/variables/name/${name}`)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) expect((await call(method, `/variables/name/${name}`)).status).toBe(404);
    expect((await call("PATCH", `/variables/name/${name}`, { value: 1 })).status).toBe(404);
  });

  it("have names and values that Prefect's client can read", async ({ expect }) => {
    const refused = await call("POST", "/variables/", { name: "Not A Name!", value: 1 });
    expect(refused).toMatchObject({ status: 422, body: { fix: expect.stringMatching(/name.*lower-case letters/) } });
    const name = freshName("long");
    const largest = "x".repeat(4_998);
    expect((await call("POST", "/variables/", { name, value: `${largest}x` })).status).toBe(422);
    expect((await call("POST", "/variables/", { name, value: largest })).status).toBe(201);
    expect((await call("PATCH", `/variables/name/${name}`, { value: `${largest}x` })).status).toBe(422);
  });
});
