/** Secrets of http work pools at rest: encrypted as those of blocks are, bound to their pool. */
import { LIMITS } from "#protocol/limits";
import { type PushSecrets, SECRET_PREFIX } from "#protocol/push";
import { openKeyring, seal, unseal } from "../blocks/keyring.ts";
import { type Rotated, rotateSealed } from "../blocks/rotate-sealed.ts";
import * as queries from "../db/queries/push-secrets.ts";

/** Sets the pool's secrets; makes one where none is given. Throws `not_configured` without a key to encrypt with. */
export async function setPushSecrets(env: Env, poolId: string, given: readonly string[] | null): Promise<PushSecrets> {
  const made = given === null ? newSecret() : null;
  const secrets = made === null ? (given ?? []) : [made];
  const sealed = await sealText(env, poolId, JSON.stringify(secrets));
  await queries.putPushSecrets(env, {
    workPoolId: poolId,
    ...sealed,
    secretsCount: secrets.length,
    updated: Date.now(),
  });
  return { secrets: secrets.length, secret: made };
}

export async function openPushSecrets(env: Env, row: queries.PushSecretsRow): Promise<string[]> {
  return JSON.parse(await unseal(await openKeyring(env), row.secrets, ownerOf(row.workPoolId))) as string[];
}

/** Moves them from older master keys to the newest. */
export function rotatePushSecrets(env: Env, limit: number): Promise<Rotated> {
  return rotateSealed(env, limit, {
    withKeys: queries.pushSecretsWithKeys,
    countWithKeys: queries.countPushSecretsWithKeys,
    countWithOtherKeys: queries.countPushSecretsWithOtherKeys,
    sealAnew: async (of, row) => sealText(of, row.workPoolId, JSON.stringify(await openPushSecrets(of, row))),
    replace: queries.replacePushSecrets,
  });
}

async function sealText(env: Env, poolId: string, text: string) {
  const { keyId, envelope } = await seal(await openKeyring(env), text, ownerOf(poolId));
  return { secrets: envelope, secretsKeyId: keyId };
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LIMITS.pushSecretBytes));
  return `${SECRET_PREFIX}${btoa(String.fromCharCode(...bytes))}`;
}

function ownerOf(poolId: string): string {
  return `work pool ${poolId}`;
}
