/**
 * Reads orders from a CSV file, sets aside the rows that are not valid, and sums up the rest by country and month.
 *
 * `node examples/csv-etl.ts [file.csv]`, with or without SLUICE_API_URL.
 */
import { readFile } from "node:fs/promises";
import { artifacts, flow, logger, task } from "sluice";
import { z } from "zod";

const ORDERS = new URL("./data/orders.csv", import.meta.url).pathname;
const ROWS_PER_PART = 50;

const Order = z.object({
  order_id: z.string().regex(/^A-\d+$/),
  ordered_at: z.iso.datetime(),
  country: z.string().length(2),
  product: z.string().min(1),
  quantity: z.string().regex(/^\d+$/, "must be a whole number").transform(Number).pipe(z.int().positive()),
  unit_price: z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, "must be a decimal number")
    .transform(Number)
    .pipe(z.number().positive()),
  status: z.enum(["shipped", "delivered", "returned", "cancelled"]),
});
type Order = z.infer<typeof Order>;

interface Row {
  /** Where it stands in the file; the header is line 1. */
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

interface Rejected {
  readonly line: number;
  readonly why: string;
}

interface Total {
  readonly country: string;
  readonly month: string;
  orders: number;
  revenue: number;
}

const extract = task({ name: "extract", retries: 2, retryDelay: "1s" }, async (file: string): Promise<Row[]> => {
  const [header = [], ...records] = parseCsv(await readFile(file, "utf8"));
  return records.map((record, index) => ({
    line: index + 2,
    fields: Object.fromEntries(header.map((name, column) => [name, record[column] ?? ""])),
  }));
});

const validate = task({ name: "validate" }, async (rows: readonly Row[]) => {
  const orders: Order[] = [];
  const rejected: Rejected[] = [];
  for (const { line, fields } of rows) {
    const order = Order.safeParse(fields);
    if (order.success) orders.push(order.data);
    else
      rejected.push({
        line,
        why: order.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; "),
      });
  }
  return { orders, rejected };
});

const aggregate = task({ name: "aggregate" }, async (orders: readonly Order[]): Promise<Total[]> => {
  const totals = new Map<string, Total>();
  const seen = new Set<string>();
  for (const order of orders) {
    if (order.status === "cancelled" || order.status === "returned") continue;
    if (seen.has(order.order_id)) continue;
    seen.add(order.order_id);
    const month = order.ordered_at.slice(0, 7);
    const key = `${order.country} ${month}`;
    const total = totals.get(key) ?? { country: order.country, month, orders: 0, revenue: 0 };
    total.orders++;
    total.revenue += order.quantity * order.unit_price;
    totals.set(key, total);
  }
  return [...totals.values()].sort((a, b) => (a.country + a.month < b.country + b.month ? -1 : 1));
});

const report = task({ name: "report" }, async (totals: readonly Total[], rejected: readonly Rejected[]) => {
  const rows = totals.map(
    ({ country, month, orders, revenue }) => `| ${country} | ${month} | ${orders} | ${revenue.toFixed(2)} |`,
  );
  const revenue = totals.reduce((sum, total) => sum + total.revenue, 0);
  const markdown = [
    "# Orders by country and month",
    "",
    `Revenue ${revenue.toFixed(2)}, ${rejected.length} rows set aside. Returned and cancelled orders do not count.`,
    "",
    "| country | month | orders | revenue |",
    "| --- | --- | ---: | ---: |",
    ...rows,
  ].join("\n");
  await artifacts.markdown({ key: "orders-by-country", description: "Orders by country and month", markdown });
  if (rejected.length > 0) {
    await artifacts.table({
      key: "rejected-orders",
      description: "Rows that are not valid orders",
      rows: rejected.map((row) => ({ ...row })),
    });
  }
  return markdown;
});

export const csvEtl = flow(
  { name: "csv-etl", parameters: z.object({ file: z.string().default(ORDERS) }) },
  async ({ file }) => {
    const rows = await extract(file);
    const parts = await validate.map(chunks(rows, ROWS_PER_PART)).results();
    const orders = parts.flatMap((part) => part.orders);
    const rejected = parts.flatMap((part) => part.rejected);
    logger().info(`${orders.length} of ${rows.length} rows are valid orders`);
    for (const { line, why } of rejected) logger().warn(`line ${line} is set aside: ${why}`);
    return await report(await aggregate(orders), rejected);
  },
);

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}

/** CSV as RFC 4180 has it: fields may be quoted, and quotes in them are doubled. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}

if (import.meta.main) console.log(await csvEtl(process.argv[2] === undefined ? {} : { file: process.argv[2] }));
