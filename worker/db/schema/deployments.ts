import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { DeploymentContent } from "#protocol/deployment-versions";
import type { DeploymentDetails, Schedule } from "#protocol/deployments";
import type { FlowControl } from "#protocol/flow-control";
import type { JsonObject } from "#protocol/flow-runs";

/** The details, with the limit that its runs take slots of. */
export type StoredDetails = DeploymentDetails & { readonly global_concurrency_limit_id?: string | null };

export const deployments = sqliteTable(
  "deployments",
  {
    id: text().primaryKey(),
    flowId: text().notNull(),
    name: text().notNull(),
    workPoolId: text(),
    workQueueId: text(),
    paused: integer({ mode: "boolean" }).notNull().default(false),
    /** When a process without a channel asked for its runs last, about to the half minute. */
    lastPolled: real(),
    tags: text({ mode: "json" }).$type<string[]>().notNull().default([]),
    /** Everything that no list filters by. */
    doc: text({ mode: "json" }).$type<StoredDetails>().notNull(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [
    uniqueIndex("deployments_flow_name").on(table.flowId, table.name),
    index("deployments_pool").on(table.workPoolId),
  ],
);

/** What is stored of a flow control: each change has a higher version than the one before. */
export type StoredFlowControl = FlowControl & { readonly version?: number };

/** How runs of a deployment are limited by key, debounced and throttled; only where somebody said so. */
export const deploymentFlowControls = sqliteTable("deployment_flow_controls", {
  deploymentId: text().primaryKey(),
  doc: text({ mode: "json" }).$type<StoredFlowControl>().notNull(),
});

/** What a deployment was after each change. Rows are added, and go with the deployment. */
export const deploymentVersions = sqliteTable(
  "deployment_versions",
  {
    deploymentId: text().notNull(),
    number: integer().notNull(),
    content: text({ mode: "json" }).$type<DeploymentContent>().notNull(),
    created: real().notNull(),
  },
  (table) => [primaryKey({ columns: [table.deploymentId, table.number] })],
);

export const deploymentSchedules = sqliteTable(
  "deployment_schedules",
  {
    id: text().primaryKey(),
    deploymentId: text().notNull(),
    slug: text(),
    active: integer({ mode: "boolean" }).notNull().default(true),
    schedule: text({ mode: "json" }).$type<Schedule>().notNull(),
    parameters: text({ mode: "json" }).$type<JsonObject>().notNull().default({}),
    maxScheduledRuns: integer(),
    created: real().notNull(),
    updated: real().notNull(),
  },
  (table) => [uniqueIndex("deployment_schedules_slug").on(table.deploymentId, table.slug)],
);
