/**
 * One concurrency limit under 50 and 1,000 contenders: how many take a slot and give it back each second, and how long a slot
 * that was given back lies idle. Ours wait in line; Prefect's clients ask again after the time they are told, as its own do.
 */
import type { JsonClient } from "../http.ts";
import { jsonClient } from "../http.ts";
import { type LoadResult, load, percentiles } from "../load.ts";
import { type Contender, startContenders } from "../prefect/contenders.ts";
import { startSubstrate } from "../substrate/start.ts";
import { type Bench, perSecond } from "./row.ts";

/** A thousand are too many for Prefect's server on SQLite, which does not answer again for minutes: they come last. */
const CONTESTS = [
  { contenders: 50, slots: 1 },
  { contenders: 50, slots: 10 },
  { contenders: 1_000, slots: 1 },
] as const;
/** Prefect tells those who ask in vain to come again within half a minute: a shorter slice would see a part of them. */
const SLICE_MS = 30_000;
/** How long it may take until all contenders stand in line, or have been answered; with those the contest begins. */
const GATHER_MS = 90_000;
const GATHER_LOOK_MS = 250;
const AFTER_FAILURE_MS = 1_000;
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
  /** How many were in line, or had been answered, when it began. */
  readonly contenders: number;
}

export const limits: Bench = {
  name: "limits",
  // It stands beside Prefect's server, which needs Python.
  isOnlyByName: true,
  async *run({ budget }) {
    await using contenders = await startContenders();
    await using bare = await startSubstrate();
    for (const { contenders: count, slots } of CONTESTS) {
      const sluice = contenders.all.find(({ name }) => name === "ours");
      if (!sluice) throw new Error("Ours is not among the contenders.");
      // Beside a server of ours that has nothing to do, while all others are frozen.
      const base = await contenders.alone(sluice, () => insertRows(bare.origin, (SLICE_MS / 3) * budget));
      const figures: string[] = [];
      let ours = 0;
      for (const contender of contenders.all) {
        const contest = await contenders.alone(contender, () =>
          compete(contender, { slots, count, durationMs: SLICE_MS * budget }),
        );
        const rate = (contest.pairs * 1_000) / contest.durationMs;
        if (contender.name === "ours") ours = rate;
        const { p50Ms, p99Ms } = percentiles(contest.handOverMs);
        // With several slots it is not known which of those that were given back somebody got.
        const handOver = `, hand-over ms p50/p99 ${p50Ms.toFixed(1)}/${p99Ms.toFixed(1)}`;
        figures.push(
          `${contender.name} ${rate.toFixed(1)}/s${slots === 1 && contest.handOverMs.length > 0 ? handOver : ""} (${contest.failures} failed, ${contest.contenders} in line at the start)`,
        );
      }
      yield {
        name: `pairs of acquire and release, a limit of ${slots}, ${count} contenders`,
        figure: figures.join("; "),
        // A pair is two requests.
        ratio: `${(ours / (base.rate / 2)).toFixed(2)} of bare object inserts ÷ 2 (${perSecond(base.rate)})`,
        aim: slots === 1 ? "hand-over under 5 ms" : "no aim of its own",
      };
    }
  },
};

/** One row and one call of an object for each request, of the same runtime. */
async function insertRows(origin: string, durationMs: number): Promise<LoadResult> {
  const client = jsonClient(origin);
  try {
    return await load(64, durationMs, async () => {
      await client.call("POST", "/insert", { state: "held", message: "a row of the size of a lease" });
    });
  } finally {
    client.close();
  }
}

async function compete(
  { name, origin }: Contender,
  { slots, count, durationMs }: { readonly slots: number; readonly count: number; readonly durationMs: number },
): Promise<Contest> {
  const client = jsonClient(origin, { connections: count + 20, timeoutMs: 70_000 });
  const limit = `bench-${slots}-${Date.now()}`;
  await client.call("POST", "/api/v2/concurrency_limits/", { name: limit, limit: slots });
  // All slots are taken until everybody is in line, so that nobody is served while half of them are still to come.
  const all = await askForSlots(client, limit, slots);
  let end = Number.POSITIVE_INFINITY;
  const handOverMs: number[] = [];
  const asked = new Set<number>();
  let givenBackAt: number | null = null;
  let pairs = 0;
  let failures = 0;
  const isOver = () => performance.now() >= end;
  const turn = async (who: number): Promise<void> => {
    const lease = name === "ours" ? await waitForSlot(client, limit) : await askForSlots(client, limit, 1);
    if (!("lease_id" in lease)) {
      asked.add(who);
      return pause(Math.min(lease.retryMs, Math.max(0, end - performance.now())));
    }
    if (givenBackAt !== null) handOverMs.push(performance.now() - givenBackAt);
    givenBackAt = performance.now();
    const { status } = await client.call("POST", "/api/v2/concurrency_limits/decrement-with-lease", lease);
    if (status >= 300) failures += 1;
    else if (!isOver()) pairs += 1;
  };
  const contend = async (who: number): Promise<void> => {
    while (!isOver()) {
      try {
        await turn(who);
      } catch {
        // What is cut off at the end has not failed, and the way to the start does not count.
        if (isOver()) return;
        if (end !== Number.POSITIVE_INFINITY) failures += 1;
        await pause(AFTER_FAILURE_MS);
      }
    }
  };
  const contest = Promise.all(Array.from({ length: count }, (_, who) => contend(who)));
  const inLine = async (): Promise<number> => {
    if (name !== "ours") return asked.size;
    const path = `/api/v2/concurrency_limits/${limit}/holders`;
    return (await client.call<{ waiters: unknown[] }>("GET", path)).body.waiters.length;
  };
  const gatherBy = performance.now() + GATHER_MS;
  let gathered = await inLine();
  while (gathered < count && performance.now() < gatherBy) {
    await pause(GATHER_LOOK_MS);
    gathered = await inLine();
  }
  if (!("lease_id" in all)) throw new Error(`${name} refused slots of a limit that nobody else knew.`);
  end = performance.now() + durationMs;
  // A server that is busy with those who ask may never come to this: then nobody was served.
  const opened = client.call("POST", "/api/v2/concurrency_limits/decrement-with-lease", all).catch(() => failures++);
  await Promise.race([Promise.all([contest, opened]), pause(durationMs + CUT_OFF_MS)]);
  client.close();
  return { pairs, durationMs, handOverMs, failures, contenders: gathered };
}

/** A lease, or when to ask again. */
type Answer = Lease | { readonly retryMs: number };

/** Stands in line at ours. */
async function waitForSlot(client: JsonClient, limit: string): Promise<Answer> {
  const { status, body } = await client.call<Lease>("POST", "/api/v2/concurrency_limits/acquire", {
    names: [limit],
    wait_seconds: 60,
  });
  return status === 200 ? { lease_id: body.lease_id } : { retryMs: 0 };
}

/** Asks as Prefect's clients do, with a lease that outlasts the contest. */
async function askForSlots(client: JsonClient, limit: string, slots: number): Promise<Answer> {
  const path = "/api/v2/concurrency_limits/increment-with-lease";
  const { status, body, headers } = await client.call<Lease>("POST", path, {
    names: [limit],
    slots,
    mode: "concurrency",
    lease_duration: 600,
  });
  if (status === 200) return { lease_id: body.lease_id };
  return { retryMs: Number(headers["retry-after"] ?? RETRY_SECONDS) * 1_000 };
}

function pause(spanMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, spanMs));
}
