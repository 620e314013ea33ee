/**
 * One concurrency limit under 1,000 contenders: how many take a slot and give it back each second, and how long a slot that
 * was given back lies idle. Ours wait in line; Prefect's clients ask again after the time they are told, as its own do.
 */
import type { JsonClient } from "../http.ts";
import { jsonClient } from "../http.ts";
import { load, percentiles } from "../load.ts";
import { type Contender, startContenders } from "../prefect/contenders.ts";
import { startSubstrate } from "../substrate/start.ts";
import { type Bench, perSecond, type Row } from "./row.ts";

const CONTENDERS = 1_000;
const SLICE_MS = 10_000;
/** A server that is still busy with a thousand requests then is not waited for. */
const CUT_OFF_MS = 3_000;
/** Prefect's own default for a client that is told nothing. */
const RETRY_SECONDS = 30;

interface Lease {
  readonly lease_id: string;
}

interface Contest {
  readonly pairs: number;
  readonly durationMs: number;
  /** From giving a slot back to the next one's having it, in milliseconds. */
  readonly handOverMs: readonly number[];
  readonly failures: number;
}

export const limits: Bench = {
  name: "limits",
  // It stands beside Prefect's server, which needs Python.
  isOnlyByName: true,
  async run({ budget }) {
    await using contenders = await startContenders();
    await using bare = await startSubstrate();
    const bareClient = jsonClient(bare.origin);
    const base = await load(64, (SLICE_MS / 4) * budget, async () => {
      await bareClient.call("POST", "/insert", { state: "held", message: "a row of the size of a lease" });
    });
    bareClient.close();
    const rows: Row[] = [];
    for (const slots of [1, 10]) {
      const figures: string[] = [];
      let ours = 0;
      for (const contender of contenders.all) {
        const contest = await contenders.alone(contender, () => compete(contender, slots, SLICE_MS * budget));
        const rate = (contest.pairs * 1_000) / contest.durationMs;
        if (contender.name === "ours") ours = rate;
        const { p50Ms, p99Ms } = percentiles(contest.handOverMs);
        const handOver = slots === 1 ? `, hand-over ms p50/p99 ${p50Ms.toFixed(1)}/${p99Ms.toFixed(1)}` : "";
        figures.push(`${contender.name} ${perSecond(rate)}${handOver} (${contest.failures} failed)`);
      }
      rows.push({
        name: `pairs of acquire and release, a limit of ${slots}, ${CONTENDERS} contenders`,
        figure: figures.join("; "),
        // A pair is two requests.
        ratio: `${(ours / (base.rate / 2)).toFixed(2)} of bare object inserts ÷ 2 (${perSecond(base.rate)})`,
        aim: slots === 1 ? "hand-over under 5 ms" : "no aim of its own",
      });
    }
    return rows;
  },
};

async function compete({ name, origin }: Contender, slots: number, durationMs: number): Promise<Contest> {
  const client = jsonClient(origin, { connections: CONTENDERS + 10, timeoutMs: 70_000 });
  const limit = `bench-${slots}-${Date.now()}`;
  await client.call("POST", "/api/v2/concurrency_limits/", { name: limit, limit: slots });
  const end = performance.now() + durationMs;
  const handOverMs: number[] = [];
  let givenBackAt: number | null = null;
  let pairs = 0;
  let failures = 0;
  const isOver = () => performance.now() >= end;
  const contend = async (): Promise<void> => {
    while (!isOver()) {
      const lease = name === "ours" ? await waitForSlot(client, limit, end) : await askForSlot(client, limit, end);
      if (lease === null) continue;
      if (givenBackAt !== null) handOverMs.push(performance.now() - givenBackAt);
      givenBackAt = performance.now();
      const { status } = await client.call("POST", "/api/v2/concurrency_limits/decrement-with-lease", lease);
      if (status >= 300) failures += 1;
      else if (!isOver()) pairs += 1;
    }
  };
  const all = Array.from({ length: CONTENDERS }, () =>
    contend().catch(() => {
      // What is cut off at the end has not failed.
      if (!isOver()) failures += 1;
    }),
  );
  const cutOff = new Promise((resolve) => setTimeout(resolve, durationMs + CUT_OFF_MS));
  await Promise.race([Promise.all(all), cutOff]);
  client.close();
  return { pairs, durationMs, handOverMs, failures };
}

/** Stands in line at ours; null when there was no slot in time. */
async function waitForSlot(client: JsonClient, limit: string, end: number): Promise<Lease | null> {
  const wait_seconds = Math.max(0.1, (end - performance.now()) / 1_000);
  const { status, body } = await client.call<Lease>("POST", "/api/v2/concurrency_limits/acquire", {
    names: [limit],
    wait_seconds,
  });
  return status === 200 ? { lease_id: body.lease_id } : null;
}

/** Asks Prefect, and waits as long as it says; null when there was no slot. */
async function askForSlot(client: JsonClient, limit: string, end: number): Promise<Lease | null> {
  const { status, body, headers } = await client.call<Lease>(
    "POST",
    "/api/v2/concurrency_limits/increment-with-lease",
    { names: [limit], slots: 1, mode: "concurrency" },
  );
  if (status === 200) return { lease_id: body.lease_id };
  const told = Number(headers["retry-after"] ?? RETRY_SECONDS) * 1_000;
  const leftMs = Math.max(0, end - performance.now());
  await new Promise((resolve) => setTimeout(resolve, Math.min(told, leftMs)));
  return null;
}
