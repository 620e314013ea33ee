/**
 * How long a claim stands that was made over REST, by proposing PENDING. Its holder has no connection that could be
 * looked at: what shows that it is there are its heartbeats, its polls, and what it reports of the run.
 */
import type { DeploymentId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { State } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import type { RunSpec } from "./storage/run-rows.ts";

/** The name under which infrastructure that takes its time is reported, again and again. */
export const INFRASTRUCTURE_PENDING = "InfrastructurePending";

/** The label by which Prefect's workers say that a run is theirs, shortly after the claim. */
const WORKER_LABEL = "prefect.worker.name";

/** For how long a claim stands without a sign of its holder; longer once something may be about to start. */
export function polledTermMs(pending: State): number {
  return pending.name === "Pending" ? SPANS.polledClaimMs : SPANS.submittedClaimMs;
}

/** Who holds a claim, as far as it can be known. */
export type PolledHolder =
  | { readonly kind: "worker"; readonly name: string; readonly poolName: string }
  /** A process that serves the deployment without a pool. */
  | { readonly kind: "server"; readonly deploymentId: DeploymentId }
  | { readonly kind: "unknown" };

export function polledHolder(spec: RunSpec): PolledHolder {
  const name = spec.labels[WORKER_LABEL];
  if (spec.placement !== null) {
    const { poolName } = spec.placement;
    return typeof name === "string" ? { kind: "worker", name, poolName } : { kind: "unknown" };
  }
  return spec.deploymentId === null ? { kind: "unknown" } : { kind: "server", deploymentId: spec.deploymentId };
}

/** Whether the holder showed itself lately. Nothing is known of one that has no name. */
export async function isHolderOnline(db: D1Database, holder: PolledHolder, now: EpochMs): Promise<boolean> {
  if (holder.kind === "unknown") return false;
  const query =
    holder.kind === "worker"
      ? db
          .prepare(
            `SELECT 1 FROM workers JOIN work_pools ON work_pools.id = workers.work_pool_id
             WHERE work_pools.name = ?1 AND workers.name = ?2
               AND workers.last_heartbeat_time + ?3 * coalesce(workers.heartbeat_interval_seconds, 30) > ?4`,
          )
          .bind(holder.poolName, holder.name, 1_000 * SPANS.missedHeartbeats, now)
      : db
          .prepare("SELECT 1 FROM deployments WHERE id = ?1 AND last_polled > ?2")
          .bind(holder.deploymentId, now - SPANS.servedMs);
  return (await query.first()) !== null;
}

/** What is said of a run that is taken back. */
export function lostHolder(holder: PolledHolder): string {
  switch (holder.kind) {
    case "worker":
      return `Worker "${holder.name}" claimed it, was not heard of since, and nothing started it.`;
    case "server":
      return "The process that serves its deployment claimed it, was not heard of since, and nothing started it.";
    case "unknown":
      return "Somebody who polls claimed it, and nothing started it.";
  }
}
