import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { aFlow, call } from "../support/api.ts";

async function aRun(): Promise<string> {
  const flow = await aFlow();
  return (await call<{ id: string }>("POST", "/flow_runs/", { flow_id: flow.id })).body.id;
}

describe("inputs of a flow run", () => {
  it("are read as the plain text that was stored", async ({ expect }) => {
    const run = await aRun();
    expect((await call("POST", `/flow_runs/${run}/input`, { key: "answer", value: '{"n": 1}' })).status).toBe(201);
    const response = await exports.default.fetch(`http://localhost:4200/api/flow_runs/${run}/input/answer`);
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(await response.text()).toBe('{"n": 1}');
  });

  it("are listed by the beginning of their keys, oldest first, one unless more are asked for", async ({ expect }) => {
    const run = await aRun();
    for (const key of ["a-2", "a-1", "b-1", "a-3"])
      await call("POST", `/flow_runs/${run}/input`, { key, value: "1", sender: "s" });
    const keys = async (query: object) =>
      (await call<{ key: string }[]>("POST", `/flow_runs/${run}/input/filter`, query)).body.map(({ key }) => key);
    expect(await keys({ prefix: "a-" })).toEqual(["a-2"]);
    expect(await keys({ prefix: "a-", limit: 10 })).toEqual(["a-2", "a-1", "a-3"]);
    expect(await keys({ prefix: "", limit: 10, exclude_keys: ["a-1", "a-2"] })).toEqual(["b-1", "a-3"]);
  });

  it("have a key of their own, and go when they are deleted", async ({ expect }) => {
    const run = await aRun();
    const put = () => call("POST", `/flow_runs/${run}/input`, { key: "k", value: "1" });
    expect((await put()).status).toBe(201);
    expect((await put()).status).toBe(409);
    expect((await call("DELETE", `/flow_runs/${run}/input/k`)).status).toBe(204);
    expect((await call("DELETE", `/flow_runs/${run}/input/k`)).status).toBe(404);
    expect((await put()).status).toBe(201);
  });

  it("belong to a run that exists", async ({ expect }) => {
    const unknown = (await aRun()).replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect((await call("POST", `/flow_runs/${unknown}/input`, { key: "k", value: "1" })).status).toBe(404);
    expect((await call("GET", `/flow_runs/${unknown}/input/k`)).status).toBe(404);
  });
});

describe("labels of a flow run", () => {
  it("are added to those that are there", async ({ expect }) => {
    const run = await aRun();
    for (const labels of [{ a: "1", b: true }, { b: 2 }]) {
      expect((await call("PATCH", `/flow_runs/${run}/labels`, labels)).status).toBe(204);
    }
    expect((await call("GET", `/flow_runs/${run}`)).body).toMatchObject({ labels: { a: "1", b: 2 } });
  });
});
