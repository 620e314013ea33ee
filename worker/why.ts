/** Gathers why a flow run is not running: from its owner, then from its pool, then from D1 what only D1 knows. */
import type { FlowRunId } from "#protocol/ids";
import type { Why, WhyNotRunning } from "#protocol/why";
import { ownerOf } from "../durable-objects/partition.ts";
import type { RunStanding } from "../durable-objects/run-standing.ts";
import { listFlowRuns } from "./db/queries/flow-runs.ts";
import * as queries from "./db/queries/why.ts";
import { whyNoSlot } from "./why-limits.ts";

/** Null when there is no such run. */
export async function whyNotRunning(env: Env, id: FlowRunId): Promise<WhyNotRunning | null> {
  const standing = await ownerOf(env.FLOW_RUNS, id)?.standing(id);
  if (!standing) return whyDormant(env, id);
  const { deploymentId } = standing;
  const [notTaken, noSlot] = await Promise.all([
    whyNotTaken(env, id, standing),
    standing.wantsSlots && deploymentId !== null ? whyNoSlot(env, id, deploymentId) : [],
  ]);
  const reasons = [...notTaken, ...noSlot, ...standing.reasons];
  return {
    flow_run_id: id,
    state_type: standing.state?.type ?? null,
    state_name: standing.state?.name ?? null,
    is_waiting: standing.isWaiting,
    reasons: reasons.length > 0 ? reasons : [waitsForNothing(standing)],
  };
}

/** What keeps a run that is due from being taken. */
async function whyNotTaken(env: Env, id: FlowRunId, standing: RunStanding): Promise<Why[]> {
  const { waitsIn, pushedIn, isUnplaced, deploymentId } = standing;
  if (pushedIn !== null) {
    const found = (await env.WORK_POOLS.getByName(pushedIn).explain(id)) as Why[];
    // Once the push is over, the pool has nothing to say that the run's owner does not know.
    return found.filter(({ kind }) => ["being_pushed", "push_failing", "push_accepted"].includes(kind));
  }
  if (isUnplaced) {
    const last_polled = deploymentId === null ? null : await queries.lastPolled(env, deploymentId);
    const asked =
      last_polled === null ? "nobody has asked for them yet" : `the last who asked did so at ${last_polled}`;
    const message =
      deploymentId === null
        ? "It is in no work pool and has no deployment: whoever made it has to start it."
        : `It is in no work pool: only a process that serves its deployment takes it, and ${asked}.`;
    return [{ kind: "no_work_pool", message, details: { deployment_id: deploymentId, last_polled } }];
  }
  if (waitsIn === null) return [];
  const { poolName } = waitsIn;
  const [found, polling, letter] = await Promise.all([
    env.WORK_POOLS.getByName(poolName).explain(id) as Promise<Why[]>,
    queries.workersOnline(env, poolName),
    queries.deadLetterOf(env, id),
  ]);
  if (polling === null) {
    const message = `The work pool "${poolName}" was deleted.`;
    return [{ kind: "work_pool_deleted", message, details: { work_pool_name: poolName } }];
  }
  const reasons = found.map((why): Why => {
    if (why.kind !== "no_worker_online" || polling.length === 0) return why;
    const message = `It is taken when one of the workers that poll asks next: ${polling.join(", ")}.`;
    return { kind: "awaits_poll", message, details: { workers: polling } };
  });
  // A letter that was given up matters only as long as the pool does not have the run.
  if (letter === null || !found.some(({ kind }) => kind === "not_offered")) return reasons;
  const { id: dead_letter_id, attempts, created } = letter;
  const message = `The message that was to bring it to its pool was given up after ${attempts} attempts; send it again: sluice dead-letter replay ${dead_letter_id}`;
  return [{ kind: "dead_lettered", message, details: { dead_letter_id, attempts, created } }, ...reasons];
}

/** A scheduled run that no owner has heard of yet is known to D1 only. */
async function whyDormant(env: Env, id: FlowRunId): Promise<WhyNotRunning | null> {
  const [run] = await listFlowRuns(
    env,
    { flow_runs: { id: { any_: [id] } } },
    { sort: "ID_DESC", limit: 1, offset: 0 },
  );
  if (!run) return null;
  const due_at = run.next_scheduled_start_time ?? run.expected_start_time ?? run.created;
  return {
    flow_run_id: id,
    state_type: run.state_type,
    state_name: run.state_name,
    is_waiting: true,
    reasons: [{ kind: "not_due", message: `It is scheduled for ${due_at}.`, details: { due_at } }],
  };
}

function waitsForNothing({ state }: RunStanding): Why {
  const details = { state_type: state?.type ?? null, state_name: state?.name ?? null };
  return { kind: "not_waiting", message: `It is ${state?.name ?? "without a state"}.`, details };
}
