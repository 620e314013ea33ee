/** How soon a worker that is connected has a run: after its trigger, after its due time, with a thousand others beside. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../rows/row.ts";
import { connected, type DrivenWorker, play, type Ticket } from "./driven-worker.ts";
import { now, POOL, type Setting, shares, startSetting } from "./setting.ts";

const CONNECTED = 1_000;

/** When each run arrived at a worker; the runs end at once. */
class Arrivals {
  readonly #at = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #origin: string;
  constructor(origin: string) {
    this.#origin = origin;
  }

  readonly note = (ticket: Ticket, worker: DrivenWorker): void => {
    const at = now();
    this.#at.set(ticket.flow_run_id, at);
    this.#waiting.get(ticket.flow_run_id)?.(at);
    void play(this.#origin, ticket).then(() => worker.released(ticket));
  };

  of(id: string): Promise<number> {
    const at = this.#at.get(id);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}

export async function claimRows(budget: number): Promise<Row[]> {
  await using setting = await startSetting();
  const arrivals = new Arrivals(setting.server.origin);
  const worker = { origin: setting.server.origin, pool: POOL, onRun: arrivals.note };
  const [one] = await connected(1, { ...worker, limit: 1_000 });
  const claims = await triggered(setting, arrivals, Math.ceil(300 * budget));
  const lateness = await scheduled(setting, arrivals, Math.ceil(100 * budget));
  one?.stop();
  const idleMb = await setting.server.memoryMb();
  const begin = performance.now();
  const many = await connected(CONNECTED, { ...worker, limit: 4 });
  const tookMs = performance.now() - begin;
  const crowdMb = await setting.server.memoryMb();
  const crowded = await triggered(setting, arrivals, Math.ceil(100 * budget));
  for (const each of many) each.stop();
  return [
    { name: "trigger → claim by a connected worker", figure: shares(claims), ratio: "–", aim: "p50 under 10 ms" },
    { name: "due time → claim, as lateness", figure: shares(lateness), ratio: "–", aim: "under 50 ms late" },
    {
      name: `${CONNECTED} workers connected`,
      figure: `all welcome after ${tookMs.toFixed(0)} ms, ${(((crowdMb - idleMb) / CONNECTED) * 1_000).toFixed(0)} kB each; trigger → claim ${shares(crowded)}`,
      ratio: "–",
      aim: "–",
    },
  ];
}

async function triggered(setting: Setting, arrivals: Arrivals, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = -10; index < count; index++) {
    const begin = now();
    const took = (await arrivals.of(await setting.trigger())) - begin;
    if (index >= 0) times.push(took);
    // The run before is over, so that one trigger is measured at a time.
    await sleep(5);
  }
  return times;
}

/** Ten are due in each second, at moments of their own. */
async function scheduled(setting: Setting, arrivals: Arrivals, count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const due = Math.round(now() + 2_000 + index * 100 + Math.random() * 50);
      const state = { type: "SCHEDULED", state_details: { scheduled_time: new Date(due).toISOString() } };
      return (await arrivals.of(await setting.trigger({ state }))) - due;
    }),
  );
}
