/** Secrets of webhooks at rest: encrypted as those of blocks are, bound to their webhook. */
import { openKeyring, seal, unseal } from "../blocks/keyring.ts";
import { type Rotated, rotateSealed } from "../blocks/rotate-sealed.ts";
import * as queries from "../db/queries/webhooks.ts";

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

/** Moves them from older master keys to the newest. */
export function rotateWebhookSecrets(env: Env, limit: number): Promise<Rotated> {
  return rotateSealed(env, limit, {
    withKeys: queries.webhooksWithKeys,
    countWithKeys: queries.countWebhooksWithKeys,
    countWithOtherKeys: queries.countWebhooksWithOtherKeys,
    sealAnew: async (of, row) => sealSecrets(of, row.id, await openSecrets(of, row)),
    replace: queries.replaceSecrets,
  });
}

function ownerOf(id: string): string {
  return `webhook ${id}`;
}
