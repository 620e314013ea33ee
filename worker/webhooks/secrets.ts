/** Secrets of webhooks at rest: encrypted as those of blocks are, bound to their webhook. */
import { SluiceError } from "#protocol/errors";
import { openKeyring, seal, unseal } from "../blocks/keyring.ts";
import * as queries from "../db/queries/webhooks.ts";

/** Stands before the id of a key with which secrets could not be read, although the key is there. */
const BROKEN = "broken ";

type Stored = Pick<queries.WebhookRow, "secrets" | "secretsKeyId" | "secretsCount">;

/** Throws `not_configured` if there are any and this control plane has no key. */
export async function sealSecrets(env: Env, id: string, secrets: readonly string[]): Promise<Stored> {
  if (secrets.length === 0) return { secrets: null, secretsKeyId: null, secretsCount: 0 };
  const { keyId, envelope } = await seal(await openKeyring(env), JSON.stringify(secrets), ownerOf(id));
  return { secrets: envelope, secretsKeyId: keyId, secretsCount: secrets.length };
}

export async function openSecrets(env: Env, { id, secrets }: queries.WebhookRow): Promise<string[]> {
  if (secrets === null) return [];
  return JSON.parse(await unseal(await openKeyring(env), secrets, ownerOf(id))) as string[];
}

/** Encrypts a page of them anew; what changes meanwhile is left for the next page. */
export async function rotateWebhookSecrets(
  env: Env,
  limit: number,
): Promise<{ rotated: number; remaining: number; unreadable: number }> {
  const ids = (await openKeyring(env)).keys.map((key) => key.id);
  const older = ids.slice(1).filter((id) => id !== ids[0]);
  let rotated = 0;
  for (const row of older.length === 0 ? [] : await queries.webhooksWithKeys(env, older, limit)) {
    const sealed = await sealedAnew(env, row);
    if ((await queries.replaceSecrets(env, row, sealed)) && sealed.secrets !== undefined) rotated += 1;
  }
  return {
    rotated,
    remaining: older.length === 0 ? 0 : await queries.countWebhooksWithKeys(env, older),
    unreadable: await queries.countWebhooksWithOtherKeys(env, ids),
  };
}

/** What cannot be read is set aside as it is, so that it does not stop the rotation of the others. */
async function sealedAnew(env: Env, row: queries.WebhookRow): Promise<Partial<Stored>> {
  try {
    return await sealSecrets(env, row.id, await openSecrets(env, row));
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "not_configured") throw error;
    return { secretsKeyId: `${BROKEN}${row.secretsKeyId}` };
  }
}

function ownerOf(id: string): string {
  return `webhook ${id}`;
}
