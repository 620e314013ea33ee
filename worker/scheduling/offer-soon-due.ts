/**
 * Hands dormant runs to their pools shortly before they are due; the pool's alarm starts them on time. Runs without a
 * pool are taken over by their owners, which watch them from then on. Idempotent: what is handed on twice stays once.
 */
import type { FlowRunId } from "#protocol/ids";
import { partitionOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { ownerOf } from "../../durable-objects/partition.ts";
import { skipped } from "../../durable-objects/schedule-states.ts";
import type { SoonDue } from "../../durable-objects/work-pool-owner.ts";
import { type SoonDueRun, soonDue } from "../db/queries/soon-due.ts";
import { isPassedOver } from "./catch-up.ts";

/** Ticks come every minute; some come late, or not at all. */
const SOON_MS = 5 * 60 * 1000;
/** Runs of one call, which a pool stores in one commit. */
const PER_CALL = 500;

/** Offers what is due within five minutes: of the given runs, or of all. Answers how many. */
export async function offerSoonDue(env: Env, now: EpochMs, ids: readonly FlowRunId[] | null = null): Promise<number> {
  let offered = 0;
  let after: { dueAt: number; id: string } | null = null;
  /** Of each schedule that only catches up with the last time, that one, as far as it was read. */
  const lasts = new Map<string, SoonDueRun>();
  for (;;) {
    const page = await soonDue(env, (now + SOON_MS) as EpochMs, { ids, after, limit: PER_CALL });
    const wanted: SoonDueRun[] = [];
    const passedOver: FlowRunId[] = [];
    for (const run of page) {
      const verdict = isPassedOver(run, now);
      if (verdict === "no") wanted.push(run);
      else if (verdict === "yes" || run.scheduleId === null) passedOver.push(run.id);
      else {
        const earlier = lasts.get(run.scheduleId);
        if (earlier) passedOver.push(earlier.id);
        lasts.set(run.scheduleId, run);
      }
    }
    await Promise.all([hand(env, wanted), skip(env, passedOver)]);
    offered += wanted.length;
    const last = page.at(-1);
    if (page.length < PER_CALL || last === undefined) break;
    after = { dueAt: last.dueAt, id: last.id };
  }
  await hand(env, [...lasts.values()]);
  return offered + lasts.size;
}

async function hand(env: Env, runs: readonly SoonDueRun[]): Promise<void> {
  const byPool = new Map<string, SoonDue[]>();
  const loose = new Map<string, FlowRunId[]>();
  for (const { id, dueAt, poolName, queue } of runs) {
    if (poolName !== null) add(byPool, poolName, { flowRunId: id, dueAt, queue });
    else add(loose, partitionOf(id) ?? id, id);
  }
  await settle([
    ...[...byPool].map(([name, some]) => env.WORK_POOLS.getByName(name).offerSoon(some)),
    ...[...loose.values()].map((some) => ownerOf(env.FLOW_RUNS, some[0] ?? "")?.wake(some)),
  ]);
}

/** Ends runs that were due while nobody was there, and that their schedule does not want any more. */
async function skip(env: Env, ids: readonly FlowRunId[]): Promise<void> {
  const state = skipped("It was due while nobody was there to start it.");
  await settle(ids.map((id) => ownerOf(env.FLOW_RUNS, id)?.setState(id, { state, force: true })));
}

async function settle(calls: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(calls)) {
    // They are still dormant and due: the next tick offers them again.
    if (outcome.status === "rejected") console.warn("Runs that are due soon were not offered.", outcome.reason);
  }
}

function add<V>(groups: Map<string, V[]>, key: string, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}
