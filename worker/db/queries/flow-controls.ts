import { eq } from "drizzle-orm";
import { type FlowControl, NO_FLOW_CONTROL } from "#protocol/flow-control";
import type { DeploymentId } from "#protocol/ids";
import { openDb } from "../open.ts";
import { deploymentFlowControls } from "../schema/deployments.ts";

export interface VersionedFlowControl {
  readonly control: FlowControl;
  /** 0 for a deployment of which nothing was said. */
  readonly version: number;
}

export async function flowControlOf(env: Env, id: DeploymentId): Promise<VersionedFlowControl> {
  const [row] = await openDb(env)
    .select({ doc: deploymentFlowControls.doc })
    .from(deploymentFlowControls)
    .where(eq(deploymentFlowControls.deploymentId, id));
  const { version = 0, ...said } = row?.doc ?? {};
  // Rows from before a setting was thought of do not have it.
  return { control: { ...NO_FLOW_CONTROL, ...said }, version };
}

/** Keeps what was said, and answers the version of it; nothing is kept where nothing is said. */
export async function storeFlowControl(
  env: Env,
  id: DeploymentId,
  said: FlowControl,
  before: VersionedFlowControl,
): Promise<number> {
  const db = openDb(env);
  // Also higher than that of one which was taken away, and is not remembered here.
  const version = Math.max(Date.now(), before.version + 1);
  const doc = { ...said, version };
  const isEmpty = Object.values(said).every((one) => one === null);
  if (isEmpty) await db.delete(deploymentFlowControls).where(eq(deploymentFlowControls.deploymentId, id));
  else {
    await db
      .insert(deploymentFlowControls)
      .values({ deploymentId: id, doc })
      .onConflictDoUpdate({ target: deploymentFlowControls.deploymentId, set: { doc } });
  }
  return version;
}
