import { eq } from "drizzle-orm";
import { type FlowControl, NO_FLOW_CONTROL } from "#protocol/flow-control";
import type { DeploymentId } from "#protocol/ids";
import { openDb } from "../open.ts";
import { deploymentFlowControls } from "../schema/deployments.ts";

export async function flowControlOf(env: Env, id: DeploymentId): Promise<FlowControl> {
  const [row] = await openDb(env)
    .select({ doc: deploymentFlowControls.doc })
    .from(deploymentFlowControls)
    .where(eq(deploymentFlowControls.deploymentId, id));
  // Rows from before a setting was thought of do not have it.
  return { ...NO_FLOW_CONTROL, ...row?.doc };
}

/** Keeps what was said; nothing is kept where nothing is said. */
export async function storeFlowControl(env: Env, id: DeploymentId, doc: FlowControl): Promise<void> {
  const db = openDb(env);
  const isEmpty = Object.values(doc).every((said) => said === null);
  if (isEmpty) await db.delete(deploymentFlowControls).where(eq(deploymentFlowControls.deploymentId, id));
  else {
    await db
      .insert(deploymentFlowControls)
      .values({ deploymentId: id, doc })
      .onConflictDoUpdate({ target: deploymentFlowControls.deploymentId, set: { doc } });
  }
}
