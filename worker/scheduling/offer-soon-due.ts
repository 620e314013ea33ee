/**
 * Hands dormant runs to their pools shortly before they are due; the pool's alarm starts them on time. Runs without a
 * pool are taken over by their owners, which watch them from then on. Idempotent: what is handed on twice stays once.
 */
import type { FlowRunId } from "#protocol/ids";
import { partitionOf } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import { ownerOf } from "../../durable-objects/partition.ts";
import type { SoonDue } from "../../durable-objects/work-pool-owner.ts";
import { soonDue } from "../db/queries/soon-due.ts";

/** Ticks come every minute; some come late, or not at all. */
const SOON_MS = 5 * 60 * 1000;
/** Runs of one call, which a pool stores in one commit. */
const PER_CALL = 500;

/** Offers what is due within five minutes: of the given runs, or of all. Answers how many. */
export async function offerSoonDue(env: Env, now: EpochMs, ids: readonly FlowRunId[] | null = null): Promise<number> {
  let offered = 0;
  let after: { dueAt: number; id: string } | null = null;
  for (;;) {
    const page = await soonDue(env, (now + SOON_MS) as EpochMs, { ids, after, limit: PER_CALL });
    const byPool = new Map<string, SoonDue[]>();
    const loose = new Map<string, FlowRunId[]>();
    for (const { id, dueAt, poolName, queue } of page) {
      if (poolName !== null) add(byPool, poolName, { flowRunId: id, dueAt, queue });
      else add(loose, partitionOf(id) ?? id, id);
    }
    const calls = [
      ...[...byPool].map(([name, runs]) => env.WORK_POOLS.getByName(name).offerSoon(runs)),
      ...[...loose.values()].map((runs) => ownerOf(env.FLOW_RUNS, runs[0] ?? "")?.wake(runs)),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      // They are still dormant and due: the next tick offers them again.
      if (outcome.status === "rejected") console.warn("Runs that are due soon were not offered.", outcome.reason);
    }
    offered += page.length;
    const last = page.at(-1);
    if (page.length < PER_CALL || last === undefined) return offered;
    after = { dueAt: last.dueAt, id: last.id };
  }
}

function add<V>(groups: Map<string, V[]>, key: string, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}
