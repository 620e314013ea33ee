/** What follows from the change of a deployment or of its schedules: runs for the old ones go, runs for the new ones come. */
import type { DeploymentId } from "#protocol/ids";
import { waitingRuns } from "../db/queries/scheduled-runs.ts";
import { removeFlowRuns } from "../remove-flow-runs.ts";
import { followDeployment } from "./follow-schedules.ts";

/** The dormant runs went with the change itself; those that wait awake go now, and what is wanted is made at once. */
export async function reschedule(env: Env, id: DeploymentId): Promise<void> {
  const waiting = await waitingRuns(env, id);
  if (waiting.length > 0) await removeFlowRuns(env, waiting, { kind: "waiting" });
  await followDeployment(env, id);
}
