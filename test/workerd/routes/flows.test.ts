import { describe, it } from "vitest";
import { aFlow, call, freshName, type Named } from "../support/api.ts";

const UNKNOWN = "0193a000-0000-7000-8000-00000000dead";

describe("flows", () => {
  it("are made once by name: 201, then 200 with the same id", async ({ expect }) => {
    const name = freshName("flow");
    const first = await call<Named>("POST", "/flows/", { name, tags: ["a"] });
    const again = await call<Named>("POST", "/flows", { name });
    expect(first.status).toBe(201);
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id, tags: ["a"] } });
  });

  it("are one flow when fifty callers make it at once", async ({ expect }) => {
    const name = freshName("flow");
    const answers = await Promise.all(Array.from({ length: 50 }, () => call<Named>("POST", "/flows/", { name })));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it("are read by id and by name, changed and deleted", async ({ expect }) => {
    const flow = await aFlow();
    expect((await call("GET", `/flows/${flow.id.toUpperCase()}`)).body).toMatchObject({ name: flow.name });
    expect((await call("GET", `/flows/name/${flow.name}`)).body).toMatchObject({ id: flow.id });
    expect((await call("PATCH", `/flows/${flow.id}`, { tags: ["x"] })).status).toBe(204);
    expect((await call("GET", `/flows/${flow.id}`)).body).toMatchObject({ tags: ["x"] });
    expect((await call("DELETE", `/flows/${flow.id}`)).status).toBe(204);
    expect((await call("GET", `/flows/${flow.id}`)).status).toBe(404);
  });

  it("that are unknown get 404 and the id", async ({ expect }) => {
    for (const [method, body] of [["GET"], ["PATCH", { tags: [] }], ["DELETE"]] as const) {
      const answer = await call<{ exception_message: string }>(method, `/flows/${UNKNOWN}`, body);
      expect(answer.status).toBe(404);
      expect(answer.body.exception_message).toContain(UNKNOWN);
    }
  });
});

describe("bad input", () => {
  it.for([
    ["malformed JSON", "{", 400, /not JSON/],
    ["a wrong type", { name: 7 }, 422, /body\.name/],
    ["a missing field", {}, 422, /body\.name/],
    ["an empty name", { name: "" }, 422, /body\.name/],
    ["a name of 256 characters", { name: "x".repeat(256) }, 422, /body\.name/],
    ["invalid labels", { name: "a", labels: { b: { c: 1 } } }, 422, /body\.labels/],
  ] as const)(
    "%s is answered with the field, the value and the fix, and changes nothing",
    async ([, body, status, fix], { expect }) => {
      const before = (await call<number>("POST", "/flows/count", {})).body;
      const answer = await call<{ exception_message: string; fix: string; code: string }>("POST", "/flows/", body);
      expect(answer.status).toBe(status);
      expect(`${answer.body.exception_message} ${answer.body.fix}`).toMatch(fix);
      expect((await call<number>("POST", "/flows/count", {})).body).toBe(before);
    },
  );

  it("that is nested too deep, too large or not UTF-8 is refused", async ({ expect }) => {
    const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
    expect((await call("POST", "/flows/", `{"name":"a","x":${deep}}`)).status).toBe(422);
    expect((await call("POST", "/flows/", JSON.stringify({ name: "a", x: "y".repeat(9 * 1024 * 1024) }))).status).toBe(
      413,
    );
  });

  it("asks for pages that are larger than allowed, or not a number", async ({ expect }) => {
    for (const limit of [201, -1, "many", 1.5])
      expect((await call("POST", "/flows/filter", { limit })).status).toBe(422);
    expect((await call("POST", "/flows/filter", { limit: null, offset: null, sort: null })).status).toBe(200);
  });

  it("names a route or an id that cannot exist", async ({ expect }) => {
    expect((await call("GET", "/nothing")).status).toBe(404);
    expect((await call("GET", "/flows/not-an-id")).status).toBe(422);
    expect((await call("GET", "/flow_runs/0193a000-0000-4000-8000-00000000dead")).status).toBe(404);
  });
});
