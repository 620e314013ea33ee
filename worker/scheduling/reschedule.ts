/** What follows from the change of a deployment or of its schedules: runs for the old ones go, runs for the new ones come. */
import type { DeploymentId } from "#protocol/ids";
import { partitionOf } from "#protocol/ids";
import { ownerOf } from "../../durable-objects/partition.ts";
import { freeKey } from "../db/queries/flow-runs.ts";
import { type WaitingRun, waitingRuns } from "../db/queries/scheduled-runs.ts";
import { followDeployment } from "./follow-schedules.ts";

/** The dormant runs went with the change itself; those that wait awake go now, and what is wanted is made at once. */
export async function reschedule(env: Env, id: DeploymentId): Promise<void> {
  await removeWaiting(env, id, { isAutomatic: true });
  await followDeployment(env, id);
}

/** Removes the runs of a deployment that wait for their first start; `isAutomatic` spares those that somebody asked for. */
export async function removeWaiting(env: Env, id: DeploymentId, which: { isAutomatic: boolean }): Promise<void> {
  const byOwner = new Map<string, WaitingRun[]>();
  for (const run of await waitingRuns(env, id, which)) {
    const owner = partitionOf(run.id) ?? "";
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), run]);
  }
  for (const runs of byOwner.values()) {
    const gone = new Set(await ownerOf(env.FLOW_RUNS, runs[0]?.id ?? "")?.removeWaiting(runs.map((run) => run.id)));
    for (const run of runs) if (gone.has(run.id) && run.key !== null) await freeKey(env, run.flowId, run.key, run.id);
  }
}
