/** The examples that need no server around them, with what they answer. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "vitest";
import { weather } from "../../examples/artifacts.ts";
import { lineage } from "../../examples/assets.ts";
import { cachedEtl } from "../../examples/cached-etl.ts";
import { dictionary } from "../../examples/cached-task.ts";
import { downloadAll } from "../../examples/concurrent-failures.ts";
import { breakfast } from "../../examples/concurrent-submit.ts";
import { failover } from "../../examples/conditional-states.ts";
import { csvEtl } from "../../examples/csv-etl.ts";
import { githubStars } from "../../examples/github-stars.ts";
import { hello } from "../../examples/hello.ts";
import { convertAll } from "../../examples/map-unmapped.ts";
import { retryByStatus } from "../../examples/retry-by-status.ts";
import { told, watched } from "../../examples/state-hooks.ts";
import { statesAndHooks } from "../../examples/states-and-hooks.ts";
import { SYSTEM_CLOCK } from "../../sdk/flow/clock.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import { memoryStorage } from "../../sdk/index.ts";
import { names, type OfflineWorld, offlineWorld } from "./offline-world.ts";
import { tinyControlPlane } from "./tiny-control-plane.ts";

/** A server whose answers a test makes, and the paths that it was asked for. */
async function web(answer: (path: string, times: number) => { readonly status?: number; readonly body: string }) {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const { status = 200, body } = answer(path, asked.filter((one) => one === path).length);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const restore = configure({ clock: SYSTEM_CLOCK });
  return {
    asked,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      restore();
      http.closeAllConnections();
      http.close();
    },
  };
}

const lines = (world: OfflineWorld): string[] => world.run.logs.map(({ message }) => message);
const stateOf = (world: OfflineWorld, task: string): string | undefined =>
  world.tasks.find(({ name }) => name.startsWith(task))?.states.at(-1)?.name;

describe("examples", () => {
  it("cached-etl asks again after a 503, and for each page once", async ({ expect }) => {
    using world = offlineWorld();
    const restore = configure({ results: { storage: memoryStorage() } });
    const asked: string[] = [];
    const http = createServer((request, response) => {
      asked.push(request.url ?? "");
      const isFirst = asked.filter((url) => url === request.url).length === 1;
      if (request.url?.endsWith("=2") && isFirst) response.statusCode = 503;
      response.end(JSON.stringify([{ name: "x", price: Number(request.url?.split("=")[1]) }]));
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/items`;
      // Requests take the machine's time, which the clock of the test does not know of.
      const real = configure({ clock: SYSTEM_CLOCK });
      expect(await cachedEtl({ url })).toBe(6);
      expect(await cachedEtl({ url, verbose: true })).toBe(6);
      real();
      expect(asked.sort().map((one) => one.slice(-1))).toEqual(["1", "2", "2", "3"]);
      const second = [...(world.runs[1]?.tasks.values() ?? [])];
      expect(second.filter(({ states }) => names(states).includes("Cached"))).toHaveLength(3);
    } finally {
      restore();
      http.close();
    }
  });

  it("states-and-hooks goes on where parts fail, and undoes what does not hold", async ({ expect }) => {
    using world = offlineWorld();
    expect(await statesAndHooks({})).toEqual({
      isFine: true,
      good: 1,
      bad: ["bad.example does not answer"],
      booked: false,
    });
    const lines = world.run.logs.map(({ message }) => message);
    expect(lines).toContain("gave back 12A");
    expect(lines.at(-1)).toMatch(/ended as Completed$/);
  });

  it("github-stars asks for one repository after the other", async ({ expect }) => {
    using world = offlineWorld();
    using api = await web((path) => ({ body: JSON.stringify({ stargazers_count: path.length }) }));
    const repositories = ["cloudflare/workerd", "honojs/hono"];
    expect(await githubStars({ repositories, api: api.url })).toEqual({ "cloudflare/workerd": 25, "honojs/hono": 18 });
    expect(api.asked).toEqual(["/repos/cloudflare/workerd", "/repos/honojs/hono"]);
    expect(lines(world)).toEqual(["cloudflare/workerd has 25 stars", "honojs/hono has 18 stars"]);
  });

  it("retry-by-status asks again after a 503, and not after a 404", async ({ expect }) => {
    using world = offlineWorld();
    using site = await web((path, times) => {
      if (path === "/gone") return { status: 404, body: "" };
      return times < 3 ? { status: 503, body: "" } : { body: "here" };
    });
    expect(await retryByStatus({ url: `${site.url}/busy` })).toBe("here");
    await expect(retryByStatus({ url: `${site.url}/gone` })).rejects.toThrow("the server answered 404");
    expect(site.asked).toEqual(["/busy", "/busy", "/busy", "/gone"]);
    const second = world.runs[1];
    expect(second?.logs[0]?.message).toBe("attempt 1: the server answered 404, which another one will not change");
  });

  it("concurrent-submit takes results as they come", async ({ expect }) => {
    using world = offlineWorld();
    const result = await world.clock.run(breakfast());
    expect(result).toEqual({ order: ["hot coffee", "hot tea"], served: "hot tea and hot coffee", cleaned: "clean" });
    expect(world.clock.elapsedMs).toBe(30);
    const cleanUp = world.tasks.find(({ name }) => name.startsWith("clean-up"));
    expect(cleanUp?.task_inputs["wait_for"]).toHaveLength(1);
  });

  it("map-unmapped gives all runs the same rates", async ({ expect }) => {
    using world = offlineWorld();
    const converted = await convertAll({});
    expect(converted.rows).toEqual([
      [125, 80],
      [250, 160],
      [375, 240],
    ]);
    expect(converted.total).toBe(1_230);
    expect(world.tasks.map(({ task_key }) => task_key.replace(/-[0-9a-f]{8}$/, ""))).toEqual([
      "load-rates",
      "convert",
      "convert",
      "convert",
      "sum",
    ]);
  });

  it("cached-task is asked once for each word", async ({ expect }) => {
    using world = offlineWorld();
    const restore = configure({ results: { storage: memoryStorage() } });
    const { first, again } = await dictionary({ words: ["edge", "sluice"] });
    restore();
    expect(again).toEqual(first);
    expect(first.map(({ length, asked }) => [length, asked])).toEqual([
      [4, "patiently"],
      [6, "patiently"],
    ]);
    // Both are asked at the same time, in whatever order.
    expect(lines(world).toSorted()).toEqual(["Looking up edge, patiently.", "Looking up sluice, patiently."]);
    expect(world.tasks.map(({ states }) => states.at(-1)?.name)).toEqual([
      "Completed",
      "Completed",
      "Cached",
      "Cached",
    ]);
  });

  it("conditional-states takes the backup when the primary has failed", async ({ expect }) => {
    using world = offlineWorld();
    expect(await failover({ primaryIsUp: false })).toEqual({ source: "backup", alarmed: "Completed" });
    expect(stateOf(world, "from-primary")).toBe("Failed");
    expect(lines(world)).toContain("from-primary is Failed; the backup it is");
    expect(world.run.states.at(-1)?.name).toBe("Completed");
    expect(await failover({})).toEqual({ source: "primary", alarmed: null });
  });

  it("state-hooks tells of each state that has one", async ({ expect }) => {
    using _ = offlineWorld();
    told.length = 0;
    await expect(watched()).rejects.toThrow("no luck");
    expect(told).toEqual([
      "watched begins",
      "steady is Running at attempt 1",
      "steady is Completed at attempt 1",
      "shaky is Running at attempt 1",
      "shaky is Retrying at attempt 2",
      "shaky is Failed at attempt 2",
      "watched has failed: Error: no luck",
    ]);
  });

  it("concurrent-failures goes on with what is there, until too much is not", async ({ expect }) => {
    using world = offlineWorld();
    expect(await downloadAll({})).toEqual({
      good: 2,
      bad: ["broken.csv cannot be read"],
      states: ["Completed", "NotReady", "Completed"],
    });
    expect(lines(world)).toContain("broken.csv cannot be read");
    await expect(downloadAll({ tolerance: 0.2 })).rejects.toThrow("1 of 3 files are broken.");
  });

  it("artifacts leaves one of each kind", async ({ expect }) => {
    using world = offlineWorld();
    expect(await weather({})).toBe("Lisbon");
    expect(world.run.artifacts.map(({ key, type, data }) => [key, type, data])).toEqual([
      ["measured", "progress", 100],
      ["degrees", "table", '[{"city":"Oslo","degrees":12},{"city":"Lisbon","degrees":18}]'],
      ["summary", "markdown", "# Weather\n\nIt is warmest in **Lisbon**."],
      ["source", "markdown", "[Where it comes from](https://example.com/weather)"],
      ["chart", "image", expect.stringMatching(/^data:image/)],
    ]);
  });

  it("assets tells what was made from what", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    const restore = configure({ apiUrl: plane.url, echoLogs: false });
    expect(await lineage()).toBe(100);
    restore();
    const events = plane.events.map(({ event, resource, payload }) => {
      const id = (resource as Record<string, string>)["prefect.resource.id"];
      return [String(event).replace("prefect.asset.", ""), id, payload];
    });
    expect(events).toEqual([
      ["referenced", "s3://lake/raw/orders.json", {}],
      ["materialization.succeeded", "postgres://warehouse/orders", { rows: 3 }],
      ["referenced", "postgres://warehouse/orders", {}],
      ["materialization.succeeded", "postgres://warehouse/revenue", {}],
    ]);
  });

  it("hello greets, and csv-etl sets aside what is not an order", async ({ expect }) => {
    using world = offlineWorld();
    expect(await hello({ name: "Ada" })).toBe("Hello, Ada!");
    const report = await csvEtl({});
    expect(report).toMatch(/^# Orders by country and month/);
    const second = world.runs[1];
    expect(second?.artifacts.map(({ key }) => key)).toEqual(["orders-by-country", "rejected-orders"]);
    expect(second?.logs.filter(({ level }) => level === 30).length).toBeGreaterThan(0);
  });
});
