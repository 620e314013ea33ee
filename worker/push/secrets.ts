/** Secrets of http work pools at rest: encrypted as those of blocks are, bound to their pool. */
import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { type PushSecrets, SECRET_PREFIX } from "#protocol/push";
import { openKeyring, seal, unseal } from "../blocks/keyring.ts";
import * as queries from "../db/queries/push-secrets.ts";

/** Stands before the id of a key with which secrets could not be read, although the key is there. */
const BROKEN = "broken ";

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

/** Encrypts a page of them anew; what changes meanwhile is left for the next page. */
export async function rotatePushSecrets(
  env: Env,
  limit: number,
): Promise<{ rotated: number; remaining: number; unreadable: number }> {
  const ids = (await openKeyring(env)).keys.map((key) => key.id);
  const older = ids.slice(1).filter((id) => id !== ids[0]);
  let rotated = 0;
  for (const row of older.length === 0 ? [] : await queries.pushSecretsWithKeys(env, older, limit)) {
    const sealed = await sealedAnew(env, row);
    if ((await queries.replacePushSecrets(env, row, sealed)) && sealed.secrets !== undefined) rotated += 1;
  }
  return {
    rotated,
    remaining: older.length === 0 ? 0 : await queries.countPushSecretsWithKeys(env, older),
    unreadable: await queries.countPushSecretsWithOtherKeys(env, ids),
  };
}

/** What cannot be read is set aside as it is, so that it does not stop the rotation of the others. */
async function sealedAnew(env: Env, row: queries.PushSecretsRow): Promise<Partial<queries.PushSecretsRow>> {
  try {
    return await sealText(env, row.workPoolId, JSON.stringify(await openPushSecrets(env, row)));
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "not_configured") throw error;
    return { secretsKeyId: `${BROKEN}${row.secretsKeyId}` };
  }
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
