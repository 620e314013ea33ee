/** Assets and where they come from, as events tell it. */
import { describe, it } from "vitest";
import { addAssetMetadata, asset, configure, flow, INPUTS, materialize, memoryStorage, task } from "../../sdk/index.ts";
import { type TinyControlPlane, tinyControlPlane } from "./tiny-control-plane.ts";

const orders = asset("postgres://db/orders", { name: "Orders", owners: ["data"], url: "https://x.example" });
const report = asset("s3://reports/daily.csv");

function using(plane: TinyControlPlane): Disposable {
  const restore = configure({ apiUrl: plane.url, echoLogs: false, results: { storage: memoryStorage() } });
  return { [Symbol.dispose]: restore };
}

const keysOf = (related: unknown): string[] =>
  (related as Record<string, string>[]).map((one) => `${one["prefect.resource.role"]} ${one["prefect.resource.id"]}`);
const told = (plane: TinyControlPlane): unknown[] =>
  plane.events.map(({ event, resource }) => [event, (resource as Record<string, string>)["prefect.resource.id"]]);

describe("a materializing task", () => {
  it("tells of what it made, from what the tasks before it made", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const load = materialize(
      orders,
      { name: "load", by: "dbt", assetDeps: ["s3://raw/orders"] },
      async (day: string) => {
        addAssetMetadata(orders, { rows: 1 });
        addAssetMetadata("postgres://db/orders", { rows: 2, day });
        return [1, 2];
      },
    );
    const sum = task({ name: "sum" }, async (rows: number[]) => ({ total: rows.length }));
    const write = materialize([report], async (_sum: { total: number }) => undefined);
    await flow({ name: "main" }, async () => {
      const totals = await sum(load.submit("monday"));
      await write(totals);
    })();

    const [run] = plane.runs.values();
    expect(told(plane)).toEqual([
      ["prefect.asset.referenced", "s3://raw/orders"],
      ["prefect.asset.materialization.succeeded", "postgres://db/orders"],
      ["prefect.asset.referenced", "postgres://db/orders"],
      ["prefect.asset.materialization.succeeded", "s3://reports/daily.csv"],
    ]);
    const made = plane.events[1];
    expect(made?.["resource"]).toEqual({
      "prefect.resource.id": "postgres://db/orders",
      "prefect.resource.name": "Orders",
      "prefect.asset.url": "https://x.example",
      "prefect.asset.owners": '["data"]',
    });
    expect(made?.["payload"]).toEqual({ rows: 2, day: "monday" });
    expect(keysOf(made?.["related"])).toEqual([
      "asset s3://raw/orders",
      "asset-materialized-by dbt",
      expect.stringMatching(/^task-run prefect\.task-run\./),
      `flow-run prefect.flow-run.${run?.id}`,
      expect.stringMatching(/^flow prefect\.flow\./),
    ]);
    expect(keysOf(plane.events[3]?.["related"])[0]).toBe("asset postgres://db/orders");
  });

  it("tells of a failure, once all attempts are over", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const load = materialize(orders, { name: "load", retries: 1 }, async () => {
      throw new Error("no");
    });
    await flow({ name: "main" }, async () => load())().catch(() => undefined);
    expect(told(plane)).toEqual([["prefect.asset.materialization.failed", "postgres://db/orders"]]);
  });

  it("tells nothing of a cached result, which is followed all the same", async ({ expect }) => {
    await using plane = await tinyControlPlane();
    using _ = using(plane);
    const load = materialize(orders, { name: "load", cache: INPUTS }, async () => [1]);
    const write = materialize(report, async (_rows: number[]) => undefined);
    await flow({ name: "main" }, async () => load())();
    plane.events.length = 0;
    await flow({ name: "main" }, async () => write(await load()))();
    expect(told(plane)).toEqual([
      ["prefect.asset.referenced", "postgres://db/orders"],
      ["prefect.asset.materialization.succeeded", "s3://reports/daily.csv"],
    ]);
  });

  it("completes although its events cannot be stored, and tells of it", async ({ expect }) => {
    using _ = undo(configure({ apiUrl: null, echoLogs: false }));
    const load = materialize(orders, async () => 1);
    expect(await flow({ name: "main" }, async () => load())()).toBe(1);
  });
});

describe("an asset", () => {
  it.for(["orders", "S3://a", "s3://a b", "s3://a?b", `s3://${"a".repeat(510)}`])("is not %s", (key, { expect }) => {
    expect(() => asset(key)).toThrow(TypeError);
  });

  it("has facts added only by the task that makes it", async ({ expect }) => {
    expect(() => addAssetMetadata(orders, {})).toThrow(/outside of a materializing task/);
    const wrong = materialize(orders, async () => addAssetMetadata("s3://other", { rows: 1 }));
    using _ = undo(configure({ apiUrl: null, echoLogs: false }));
    await expect(flow({ name: "main" }, async () => wrong())()).rejects.toThrow(
      /does not make the asset "s3:\/\/other"/,
    );
  });
});

function undo(restore: () => void): Disposable {
  return { [Symbol.dispose]: restore };
}
