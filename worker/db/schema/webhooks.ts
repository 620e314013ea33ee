import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { JsonObject } from "#protocol/flow-runs";
import type { WebhookDelivery, WebhookVerification } from "#protocol/webhooks";

/** What is said of a webhook and never searched. */
export interface WebhookDetails {
  readonly verification: WebhookVerification;
  readonly parameters: JsonObject;
  readonly idempotencyKey: string | null;
  readonly tags: readonly string[];
  readonly replayWindowSeconds: number;
  readonly maxBodyBytes: number;
}

export const webhooks = sqliteTable("webhooks", {
  /** Its address: what deliveries find it by. */
  slug: text().primaryKey(),
  id: text().notNull(),
  deploymentId: text().notNull(),
  active: integer({ mode: "boolean" }).notNull(),
  doc: text({ mode: "json" }).$type<WebhookDetails>().notNull(),
  /** A JSON list of texts, encrypted; null where there are none. */
  secrets: text(),
  secretsKeyId: text(),
  secretsCount: integer().notNull(),
  created: real().notNull(),
  updated: real().notNull(),
});

/** The last deliveries; ids grow with time, so the key is their order. */
export const webhookDeliveries = sqliteTable(
  "webhook_deliveries",
  {
    webhookId: text().notNull(),
    isVerified: integer({ mode: "boolean" }).notNull(),
    id: text().notNull(),
    created: real().notNull(),
    doc: text({ mode: "json" }).$type<Omit<WebhookDelivery, "id" | "created" | "is_verified" | "body">>().notNull(),
    /** As it was sent; null where it is not kept. */
    body: text(),
  },
  (table) => [primaryKey({ columns: [table.webhookId, table.isVerified, table.id] })],
);
