/** Flows and deployments whose deletion is not finished while runs of theirs are left. */
import { asc, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import { openDb } from "../open.ts";
import { deletions } from "../schema/deletions.ts";
import { deploymentFlowControls, deploymentSchedules, deployments, deploymentVersions } from "../schema/deployments.ts";
import { flowRuns } from "../schema/flow-runs.ts";
import { flows } from "../schema/flows.ts";
import { forgetDeployments } from "./scheduled-runs.ts";

export type Deletion = typeof deletions.$inferSelect;

/** Deletes a flow and its deployments, and notes that its runs are to go. Null when there is no such flow. */
export async function deleteFlow(env: Env, id: FlowId): Promise<Deletion | null> {
  const db = openDb(env);
  const ofFlow = db.select({ id: deployments.id }).from(deployments).where(eq(deployments.flowId, id));
  const [noted] = await db.batch([
    db
      .insert(deletions)
      .select(noteOf("flow", flows, id))
      .onConflictDoNothing()
      .returning(),
    db.delete(deploymentFlowControls).where(inArray(deploymentFlowControls.deploymentId, ofFlow)),
    ...forgetDeployments(db, sql`IN ${ofFlow}`, Date.now()),
    db.delete(deploymentSchedules).where(inArray(deploymentSchedules.deploymentId, ofFlow)),
    db.delete(deploymentVersions).where(inArray(deploymentVersions.deploymentId, ofFlow)),
    db.delete(deployments).where(eq(deployments.flowId, id)),
    db.delete(flows).where(eq(flows.id, id)),
  ]);
  return noted[0] ?? null;
}

/** Deletes a deployment, and notes that its scheduled runs are to go. Null when there is no such deployment. */
export async function deleteDeployment(env: Env, id: DeploymentId): Promise<Deletion | null> {
  const db = openDb(env);
  const [noted] = await db.batch([
    db
      .insert(deletions)
      .select(noteOf("deployment", deployments, id))
      .onConflictDoNothing()
      .returning(),
    db.delete(deploymentFlowControls).where(eq(deploymentFlowControls.deploymentId, id)),
    ...forgetDeployments(db, sql`= ${id}`, Date.now()),
    db.delete(deploymentSchedules).where(eq(deploymentSchedules.deploymentId, id)),
    db.delete(deploymentVersions).where(eq(deploymentVersions.deploymentId, id)),
    db.delete(deployments).where(eq(deployments.id, id)),
  ]);
  return noted[0] ?? null;
}

/** The deployments of a flow. */
export async function deploymentsOf(env: Env, flow: FlowId): Promise<DeploymentId[]> {
  const rows = await openDb(env).select({ id: deployments.id }).from(deployments).where(eq(deployments.flowId, flow));
  return rows.map(({ id }) => id as DeploymentId);
}

/** Oldest first. */
export async function unfinishedDeletions(env: Env, limit: number): Promise<Deletion[]> {
  return openDb(env).select().from(deletions).orderBy(asc(deletions.created)).limit(limit);
}

export async function finishDeletion(env: Env, { id }: Deletion): Promise<void> {
  await openDb(env).delete(deletions).where(eq(deletions.id, id));
}

/**
 * Runs that are to go with a deleted flow or deployment, from behind the id `after`: all of a flow, and those of a
 * deployment that nobody has begun.
 */
export async function runsToGo(
  env: Env,
  { id, kind }: Deletion,
  page: { readonly after: FlowRunId | null; readonly limit: number },
): Promise<FlowRunId[]> {
  // Scheduled runs are few, those of a deployment many: the plus keeps its index from being taken.
  const isTheirs =
    kind === "flow"
      ? sql`${flowRuns.flowId} = ${id}`
      : sql`${flowRuns.stateType} = 'SCHEDULED' AND +${flowRuns.deploymentId} = ${id}`;
  const rows = await openDb(env)
    .select({ id: flowRuns.id })
    .from(flowRuns)
    .where(sql`${isTheirs} AND ${flowRuns.id} > ${page.after ?? ""}`)
    .orderBy(asc(flowRuns.id))
    .limit(page.limit);
  return rows.map((row) => row.id as FlowRunId);
}

/** The row of a deletion, if there is something to delete. */
function noteOf(kind: Deletion["kind"], table: typeof flows | typeof deployments, id: string): SQL {
  return sql`SELECT id, ${kind}, ${Date.now()} FROM ${table} WHERE id = ${id}`;
}
