/** The examples that need no server around them, with what they answer. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "vitest";
import { cachedEtl } from "../../examples/cached-etl.ts";
import { statesAndHooks } from "../../examples/states-and-hooks.ts";
import { configure } from "../../sdk/flow/configuration.ts";
import { memoryStorage } from "../../sdk/index.ts";
import { names, offlineWorld } from "./offline-world.ts";

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
      const real = configure({ clock: (await import("../../sdk/flow/clock.ts")).SYSTEM_CLOCK });
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
});
