import { asc, eq, sql } from "drizzle-orm";
import type { DeploymentId } from "#protocol/ids";
import { oneOf } from "../filters.ts";
import { openDb } from "../open.ts";
import { webhookDeliveries, webhooks } from "../schema/webhooks.ts";
import type { Page } from "./work-pools.ts";

export type WebhookRow = typeof webhooks.$inferSelect;

/** False when the slug is taken. */
export async function insertWebhook(env: Env, row: WebhookRow): Promise<boolean> {
  const made = await openDb(env).insert(webhooks).values(row).onConflictDoNothing().returning({ slug: webhooks.slug });
  return made.length > 0;
}

export async function webhookBySlug(env: Env, slug: string): Promise<WebhookRow | null> {
  const [row] = await openDb(env).select().from(webhooks).where(eq(webhooks.slug, slug));
  return row ?? null;
}

export async function listWebhooks(env: Env, deployment: DeploymentId | null, page: Page): Promise<WebhookRow[]> {
  return openDb(env)
    .select()
    .from(webhooks)
    .where(deployment === null ? undefined : eq(webhooks.deploymentId, deployment))
    .orderBy(asc(webhooks.slug))
    .limit(page.limit)
    .offset(page.offset);
}

/** The row as it is afterwards; null when there is none, or when it is no longer the one of this id. */
export async function changeWebhook(
  env: Env,
  { slug, id }: Pick<WebhookRow, "slug" | "id">,
  change: Partial<WebhookRow>,
): Promise<WebhookRow | null> {
  const [row] = await openDb(env)
    .update(webhooks)
    .set(change)
    .where(sql`${webhooks.slug} = ${slug} AND ${webhooks.id} = ${id}`)
    .returning();
  return row ?? null;
}

export async function deleteWebhook(env: Env, slug: string): Promise<boolean> {
  const db = openDb(env);
  const [row] = await db.delete(webhooks).where(eq(webhooks.slug, slug)).returning({ id: webhooks.id });
  if (!row) return false;
  await db.delete(webhookDeliveries).where(eq(webhookDeliveries.webhookId, row.id));
  return true;
}

/** Puts other columns in place of secrets, unless they have changed since they were read. */
export async function replaceSecrets(env: Env, read: WebhookRow, change: Partial<WebhookRow>): Promise<boolean> {
  const [row] = await openDb(env)
    .update(webhooks)
    .set(change)
    .where(sql`${webhooks.slug} = ${read.slug} AND ${webhooks.secrets} = ${read.secrets}`)
    .returning({ id: webhooks.id });
  return row !== undefined;
}

/** Webhooks whose secrets are under one of these master keys. */
export async function webhooksWithKeys(env: Env, keyIds: readonly string[], limit: number): Promise<WebhookRow[]> {
  return openDb(env).select().from(webhooks).where(oneOf(webhooks.secretsKeyId, keyIds)).limit(limit);
}

export async function countWebhooksWithKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(webhooks, oneOf(webhooks.secretsKeyId, keyIds));
}

/** Those that have secrets, under a master key that is not among these. */
export async function countWebhooksWithOtherKeys(env: Env, keyIds: readonly string[]): Promise<number> {
  return openDb(env).$count(
    webhooks,
    sql`${webhooks.secretsKeyId} IS NOT NULL AND NOT ${oneOf(webhooks.secretsKeyId, keyIds)}`,
  );
}
