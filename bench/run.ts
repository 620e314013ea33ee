/**
 * `npm run bench [-- NAME …] [--budget N]`: every figure beside the bare substrate, measured in the same run on the same machine.
 *
 * The machine is shared and noisy: read the ratios, not the absolute figures. `dispatch`, `limits`, `sdk`, `prefect-loads` and `prefect-reads` stand beside
 * Prefect's own server instead; they need Python and are left out unless they are named.
 */
import { parseArgs } from "node:util";
import { dispatch } from "./rows/dispatch.ts";
import { lifecycles } from "./rows/lifecycles.ts";
import { limits } from "./rows/limits.ts";
import { prefectLoads, prefectReads } from "./rows/prefect.ts";
import type { Bench } from "./rows/row.ts";
import { runChannel } from "./rows/run-channel.ts";
import { sdk } from "./rows/sdk.ts";
import { startup } from "./rows/startup.ts";
import { trigger } from "./rows/trigger.ts";

const BENCHES: readonly Bench[] = [
  startup,
  lifecycles,
  runChannel,
  trigger,
  dispatch,
  limits,
  sdk,
  prefectLoads,
  prefectReads,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { budget: { type: "string", default: "1" } },
});
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no benchmark "${unknown.join(", ")}". There are: ${BENCHES.map((bench) => bench.name).join(", ")}.`,
  );
  process.exit(2);
}
for (const bench of BENCHES) {
  const isWanted = positionals.length > 0 ? positionals.includes(bench.name) : bench.isOnlyByName !== true;
  if (!isWanted) continue;
  for await (const row of bench.run({ budget: Number(values.budget) })) {
    console.log(typeof row === "string" ? row : `${row.name}\n  ${row.figure}\n  ratio ${row.ratio}; aim ${row.aim}`);
  }
}
