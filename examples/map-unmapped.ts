/**
 * One task for each of many items. The first argument is mapped; the others are the same for all, with nothing to mark
 * them, be they lists or futures.
 *
 * `node examples/map-unmapped.ts`
 */
import { flow, task } from "sluice";

const loadRates = task({ name: "load-rates" }, async () => ({ EUR: 1, USD: 1.25, GBP: 0.8 }));

const convert = task(
  { name: "convert" },
  async (amount: number, rates: Readonly<Record<string, number>>, currencies: readonly string[]) =>
    currencies.map((currency) => amount * (rates[currency] ?? 0)),
);

const sum = task({ name: "sum" }, async (rows: readonly (readonly number[])[]) =>
  rows.reduce((total, row) => total + row.reduce((a, b) => a + b, 0), 0),
);

export const convertAll = flow(
  { name: "convert-all" },
  async ({ amounts = [100, 200, 300] }: { amounts?: number[] }) => {
    const rates = loadRates.submit();
    const converted = convert.map(amounts, rates, ["USD", "GBP"]);
    return { rows: await converted.results(), total: await sum(converted) };
  },
);

if (import.meta.main) console.log(await convertAll());
