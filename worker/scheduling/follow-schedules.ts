/**
 * Makes the runs that schedules are to have ahead of them. Whoever does it twice, or at the same time as another, makes
 * nothing more: a due time has a key, and what was read of a schedule that has changed since is not written.
 */
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import { partitionOf } from "#protocol/ids";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { PartitionIds } from "../../durable-objects/partition.ts";
import {
  type DormantRun,
  loadSchedules,
  loadSchedulesOf,
  type Progress,
  type ScheduleToFollow,
  writeDormantRuns,
} from "../db/queries/scheduling.ts";
import { newFlowRunId } from "../new-id.ts";
import { missedTimes } from "./catch-up.ts";
import { HORIZON, type Horizon, lookAhead } from "./horizon.ts";
import { offerSoonDue } from "./offer-soon-due.ts";
import { scheduledRun } from "./scheduled-run.ts";
import { startsAt } from "./spread.ts";

/** Looks ahead for those of the schedules that need it. Answers how many runs were made. */
export async function followSchedules(env: Env, ids: readonly string[], now: EpochMs): Promise<number> {
  return (await follow(env, await loadSchedules(env, ids, now), now)).length;
}

/** A deployment was made or changed: its runs are made at once, and offered when they are due soon. */
export async function followDeployment(env: Env, id: DeploymentId): Promise<void> {
  const now = Date.now() as EpochMs;
  try {
    const made = await follow(env, await loadSchedulesOf(env, id, now), now);
    if (made.length > 0) await offerSoonDue(env, now, made);
  } catch (error) {
    // The change itself is stored, and the next tick finds what is missing.
    console.warn(`Deployment ${id} was not scheduled at once; the next tick does it.`, error);
  }
}

/** Makes the runs of a deployment in a span of time, past or future, whatever is paused. */
export async function scheduleSpan(
  env: Env,
  id: DeploymentId,
  span: { readonly start: EpochMs; readonly horizon: Horizon },
): Promise<void> {
  const now = Date.now() as EpochMs;
  const runs: DormantRun[] = [];
  for (const from of await loadSchedulesOf(env, id, null)) {
    const { dueAt } = lookAhead(from.schedule, span.start, null, span.horizon);
    const { start_at: first = null, end_at: last = null } = from.policy ?? {};
    const within = (at: EpochMs): boolean =>
      (first === null || at >= fromWireTime(first)) && (last === null || at <= fromWireTime(last));
    runs.push(...dueAt.filter(within).map((at) => dormant(env, from, at, now)));
  }
  const made = await writeDormantRuns(env, runs, []);
  if (made.length > 0) await offerSoonDue(env, now, made);
}

async function follow(env: Env, schedules: readonly ScheduleToFollow[], now: EpochMs): Promise<FlowRunId[]> {
  const runs: DormantRun[] = [];
  const progress: Progress[] = [];
  for (const from of schedules) {
    try {
      const step = followOne(env, from, now);
      runs.push(...step.runs);
      progress.push(step.progress);
    } catch (error) {
      // One that cannot be followed must not keep the others from being followed.
      console.warn(`Schedule ${from.id} of deployment ${from.deploymentId} could not be followed.`, error);
    }
  }
  return writeDormantRuns(env, runs, progress);
}

function followOne(env: Env, from: ScheduleToFollow, now: EpochMs): { runs: DormantRun[]; progress: Progress } {
  const { policy, lastDueAt } = from;
  const start = Math.max(now, policy?.start_at ? fromWireTime(policy.start_at) : now) as EpochMs;
  const endAt = policy?.end_at ? fromWireTime(policy.end_at) : null;
  const { dueAt, nextCheckAt } = lookAhead(from.schedule, start, endAt, HORIZON);
  const ahead = dueAt.filter((at) => lastDueAt === null || at > lastDueAt);
  const news = [...missedTimes(from.schedule, policy, lastDueAt, now), ...ahead];
  return {
    runs: news.map((at) => dormant(env, from, at, now)),
    progress: {
      scheduleId: from.id,
      deploymentId: from.deploymentId,
      stamp: from.stamp,
      nextCheckAt,
      lastDueAt: dueAt.at(-1) ?? now,
    },
  };
}

function dormant(env: Env, from: ScheduleToFollow, dueAt: EpochMs, now: EpochMs): DormantRun {
  const id = newFlowRunId(env);
  const state = new PartitionIds(partitionOf(id) ?? "").state(now);
  const when = { dueAt, startsAt: startsAt(from, dueAt), isAutomatic: true };
  const run = scheduledRun(from, when, { run: id, state }, now);
  return { run, scheduleId: from.id, stamp: from.stamp };
}
