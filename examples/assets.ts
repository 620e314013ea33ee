/**
 * Assets: the data that tasks make, by address. Events tell what was made from what, so that automations and people can
 * follow it.
 *
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/assets.ts`
 */
import { addAssetMetadata, asset, flow, materialize, task } from "sluice";

const raw = asset("s3://lake/raw/orders.json");
const orders = asset("postgres://warehouse/orders", { name: "Orders", owners: ["data team"] });
const revenue = asset("postgres://warehouse/revenue", { description: "Revenue by day." });

const loadOrders = materialize(orders, { name: "load-orders", assetDeps: [raw], by: "sluice" }, async () => {
  const rows = [12, 30, 58];
  addAssetMetadata(orders, { rows: rows.length });
  return rows;
});

const total = task({ name: "total" }, async (rows: readonly number[]) => ({ total: rows.reduce((a, b) => a + b, 0) }));

const writeRevenue = materialize(
  revenue,
  { name: "write-revenue" },
  async (sum: { readonly total: number }) => sum.total,
);

// `total` makes no asset, and hands on where its input came from.
export const lineage = flow({ name: "lineage" }, async () => await writeRevenue(total.submit(loadOrders.submit())));

if (import.meta.main) console.log(await lineage());
