import { and, desc, eq, sql } from "drizzle-orm";
import { LIMITS } from "#protocol/limits";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import type { WebhookDelivery } from "#protocol/webhooks";
import { openDb } from "../open.ts";
import { webhookDeliveries } from "../schema/webhooks.ts";
import type { Page } from "./work-pools.ts";

/** Keeps a delivery, and lets the oldest of its kind go. */
export async function keepDelivery(env: Env, webhookId: string, delivery: WebhookDelivery): Promise<void> {
  const db = openDb(env);
  const { id, created, is_verified: isVerified, body, ...doc } = delivery;
  const kept = isVerified ? LIMITS.verifiedDeliveries : LIMITS.unverifiedDeliveries;
  const ofKind = sql`webhook_id = ${webhookId} AND is_verified = ${isVerified ? 1 : 0}`;
  await db.batch([
    db
      .insert(webhookDeliveries)
      .values({ webhookId, id, isVerified, created: fromWireTime(created), doc, body })
      .onConflictDoNothing(),
    db.delete(webhookDeliveries).where(sql`${ofKind} AND id <= (
      SELECT id FROM webhook_deliveries WHERE ${ofKind} ORDER BY id DESC LIMIT 1 OFFSET ${kept})`),
  ]);
}

export async function listDeliveries(env: Env, webhookId: string, page: Page): Promise<WebhookDelivery[]> {
  const rows = await openDb(env)
    .select()
    .from(webhookDeliveries)
    .where(eq(webhookDeliveries.webhookId, webhookId))
    .orderBy(desc(webhookDeliveries.id))
    .limit(page.limit)
    .offset(page.offset);
  return rows.map(toDelivery);
}

export async function deliveryById(env: Env, webhookId: string, id: string): Promise<WebhookDelivery | null> {
  const [row] = await openDb(env)
    .select()
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.id, id)));
  return row ? toDelivery(row) : null;
}

function toDelivery(row: typeof webhookDeliveries.$inferSelect): WebhookDelivery {
  const { id, created, isVerified, body, doc } = row;
  return { id, created: toWireTime(created as EpochMs), is_verified: isVerified, body, ...doc };
}
