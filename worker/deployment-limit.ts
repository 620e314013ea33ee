/**
 * The limit whose slots the runs of a deployment take: one of its own, named after it, or one that others share.
 *
 * Whoever waits at a limit that the deployment leaves looks again, and so finds the new one.
 */
import type { Deployment, DeploymentUpdate } from "#protocol/deployments";
import { notFound } from "#protocol/errors";
import type { DeploymentId } from "#protocol/ids";
import { keyedLimitOwner } from "../durable-objects/keyed-limit-owner.ts";
import { limitOwner } from "../durable-objects/limit-owner.ts";
import { configureLimit, createLimit, removeLimit } from "./configure-limit.ts";
import { findLimit } from "./db/queries/concurrency-limits.ts";
import { deploymentById, setDeploymentLimit } from "./db/queries/deployments.ts";

type LimitWish = Pick<DeploymentUpdate, "concurrency_limit" | "global_concurrency_limit_id">;

/** Fails where the limit that is asked for does not exist: before anything is changed. */
export async function requireSharedLimit(env: Env, wish: LimitWish): Promise<void> {
  const id = wish.global_concurrency_limit_id;
  if (id && !(await findLimit(env, { id }))) {
    throw notFound("Concurrency limit", id, "Create it first: sluice limit create NAME --limit 1");
  }
}

/** Does what is said of the limit; what is not said is left as it is, and null takes the limit away. */
export async function linkLimit(env: Env, deployment: Deployment, wish: LimitWish): Promise<void> {
  const { concurrency_limit: own, global_concurrency_limit_id: shared } = wish;
  const { id, global_concurrency_limit: known } = deployment;
  if (shared !== undefined && shared !== known?.id) {
    if (shared !== null || own == null) await relink(env, deployment, shared);
  }
  if (own === undefined || shared) return;
  if (own === null) return relink(env, deployment, null);
  if (known !== null) {
    // As upstream: what is said of the deployment's limit is said of the limit, whoever shares it.
    if (known.limit !== own) await configureLimit(env, { id: known.id }, { limit: own });
    return;
  }
  const name = ownName(id);
  const made = await createLimit(env, { name, limit: own });
  // One of this name may be left over, or somebody made it by hand.
  if (!made) await configureLimit(env, { name }, { limit: own });
  const row = made ?? (await findLimit(env, { name }));
  if (row) await setDeploymentLimit(env, id, row.id);
}

/** The deployment is deleted: so are the limits of its own. */
export async function dropOwnLimits(env: Env, id: DeploymentId): Promise<void> {
  await removeLimit(env, { name: ownName(id) });
  await keyedLimitOwner(env.KEYED_LIMITS, id).remove();
}

/** Links the deployment to another limit, or to none. One of its own is deleted, one that others share stays. */
async function relink(env: Env, { id, global_concurrency_limit: known }: Deployment, to: string | null): Promise<void> {
  await setDeploymentLimit(env, id, to);
  if (known === null || known.id === to) return;
  if (known.name === ownName(id)) await removeLimit(env, { id: known.id });
  else await limitOwner(env.CONCURRENCY_LIMITS, known.id).lookAgain();
}

/** As {@link linkLimit}; answers the deployment as it is afterwards. */
export async function withLimit(env: Env, deployment: Deployment, wish: LimitWish): Promise<Deployment> {
  if (wish.concurrency_limit === undefined && wish.global_concurrency_limit_id === undefined) return deployment;
  await linkLimit(env, deployment, wish);
  return (await deploymentById(env, deployment.id)) ?? deployment;
}

function ownName(id: DeploymentId): string {
  return `deployment:${id}`;
}
