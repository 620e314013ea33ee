import { eq, sql } from "drizzle-orm";
import type { JsonObject } from "#protocol/flow-runs";
import type { DeploymentId } from "#protocol/ids";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { deployments } from "../schema/deployments.ts";
import { flows } from "../schema/flows.ts";
import { pushSecrets } from "../schema/push-secrets.ts";
import { workPools } from "../schema/work-pools.ts";

export type PushSecretsRow = typeof pushSecrets.$inferSelect;

export async function putPushSecrets(env: Env, row: PushSecretsRow): Promise<void> {
  const { workPoolId: _, ...set } = row;
  await openDb(env).insert(pushSecrets).values(row).onConflictDoUpdate({ target: pushSecrets.workPoolId, set });
}

/** Where a pool pushes to, and what it signs with; null when there is no such pool. */
export async function pushTarget(
  env: Env,
  poolName: string,
): Promise<{ baseJobTemplate: JsonObject; secrets: PushSecretsRow | null } | null> {
  const [row] = await openDb(env)
    .select({ baseJobTemplate: workPools.baseJobTemplate, secrets: pushSecrets })
    .from(workPools)
    .leftJoin(pushSecrets, eq(pushSecrets.workPoolId, workPools.id))
    .where(eq(workPools.name, poolName));
  return row ?? null;
}

/** Null when the deployment is gone. */
export async function flowNameOf(env: Env, id: DeploymentId): Promise<string | null> {
  const [row] = await openDb(env)
    .select({ name: flows.name })
    .from(deployments)
    .innerJoin(flows, eq(flows.id, deployments.flowId))
    .where(eq(deployments.id, id));
  return row?.name ?? null;
}

/** Puts other columns in place of secrets, unless they have changed since they were read. */
export async function replacePushSecrets(
  env: Env,
  read: PushSecretsRow,
  change: Partial<PushSecretsRow>,
): Promise<boolean> {
  const changed = await openDb(env)
    .update(pushSecrets)
    .set(change)
    .where(sql`${pushSecrets.workPoolId} = ${read.workPoolId} AND ${pushSecrets.secrets} = ${read.secrets}`)
    .returning({ id: pushSecrets.workPoolId });
  return changed.length > 0;
}

/** Those that are under one of these master keys. */
export async function pushSecretsWithKeys(env: Env, keyIds: readonly string[], limit: number) {
  return openDb(env).select().from(pushSecrets).where(oneOf(pushSecrets.secretsKeyId, keyIds)).limit(limit);
}

export async function countPushSecretsWithKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(pushSecrets, oneOf(pushSecrets.secretsKeyId, keyIds));
}

/** Those under a master key that is not among these. */
export async function countPushSecretsWithOtherKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(pushSecrets, sql`NOT ${oneOf(pushSecrets.secretsKeyId, keyIds)}`);
}
