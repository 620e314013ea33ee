/**
 * Deletes flows and deployments with the runs that go with them. What is to go is written down together with the
 * deletion; a first part goes at once, and each minute's tick goes on until nothing is left. A run is removed by its
 * owner, and one that has begun since it was listed as scheduled stays.
 */
import type { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import {
  type Deletion,
  deleteDeployment,
  deleteFlow,
  deploymentsOf,
  finishDeletion,
  runsToGo,
  unfinishedDeletions,
} from "./db/queries/deletions.ts";
import { dropOwnLimits } from "./deployment-limit.ts";
import { forgetFlow } from "./known-flows.ts";
import { removeFlowRuns } from "./remove-flow-runs.ts";

/** Runs that are removed before others have their turn in D1. */
const RUNS_PER_PAGE = 25;
const REQUEST_MS = 2_000;
const TICK_MS = 20_000;
const DELETIONS_PER_TICK = 100;
/** Another isolate may take a flow for existing a while longer, and make a run of it: its deletion is looked at once more. */
const SETTLED_AFTER_MS = 60_000;

/** False when there is no such flow. */
export async function deleteFlowWithRuns(env: Env, id: FlowId): Promise<boolean> {
  forgetFlow(id);
  const deployments = await deploymentsOf(env, id);
  const deletion = await deleteFlow(env, id);
  if (deletion) await Promise.all(deployments.map((one) => dropOwnLimits(env, one)));
  return removeFirstRuns(env, deletion);
}

/** Its runs that have begun stay. False when there is no such deployment. */
export async function deleteDeploymentWithRuns(env: Env, id: DeploymentId): Promise<boolean> {
  const deletion = await deleteDeployment(env, id);
  if (deletion) await dropOwnLimits(env, id);
  return removeFirstRuns(env, deletion);
}

/** Goes on with every deletion that has left something; idempotent. */
export async function finishDeletions(env: Env, now: EpochMs): Promise<void> {
  const giveUpAt = Date.now() + TICK_MS;
  for (const deletion of await unfinishedDeletions(env, DELETIONS_PER_TICK)) {
    const isDone = await removeRuns(env, deletion, giveUpAt);
    if (isDone && now - deletion.created >= SETTLED_AFTER_MS) await finishDeletion(env, deletion);
    if (Date.now() >= giveUpAt) return;
  }
}

async function removeFirstRuns(env: Env, deletion: Deletion | null): Promise<boolean> {
  if (deletion === null) return false;
  try {
    await removeRuns(env, deletion, Date.now() + REQUEST_MS);
  } catch (error) {
    // The deletion itself is done and noted: its runs are the next tick's.
    console.warn(`Runs of the deleted ${deletion.kind} ${deletion.id} are left; they are removed later.`, error);
  }
  return true;
}

/** True when everything that was found is gone; what failed, or has begun meanwhile, is looked at again. */
async function removeRuns(env: Env, deletion: Deletion, giveUpAt: number): Promise<boolean> {
  const which = { kind: deletion.kind === "flow" ? "any" : "scheduled" } as const;
  let after: FlowRunId | null = null;
  let isEverythingGone = true;
  while (Date.now() < giveUpAt) {
    const ids: FlowRunId[] = await runsToGo(env, deletion, { after, limit: RUNS_PER_PAGE });
    after = ids.at(-1) ?? null;
    if (after === null) return isEverythingGone;
    if ((await removeFlowRuns(env, ids, which)) < ids.length) isEverythingGone = false;
  }
  return false;
}
