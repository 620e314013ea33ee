/** Backfills: the due times of a schedule in a range are run afterwards, a few at a time. Beyond Prefect's API. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { JsonObject } from "./flow-runs.ts";
import { DeploymentId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The label of a run that says which backfill it belongs to. */
export const BACKFILL_LABEL = "sluice.backfill.id";

export const BackfillStatus = z.enum(["RUNNING", "COMPLETED", "CANCELLED"]);
export type BackfillStatus = z.infer<typeof BackfillStatus>;

/** What was asked for. */
export const BackfillDetails = z.object({
  /** The first and the last moment, both included. */
  start: WireTime,
  end: WireTime,
  /** Runs that may be open at the same time. */
  concurrency: z.int(),
  parameters: JsonObject,
  /** Due times in the range. */
  total: z.int(),
});
export type BackfillDetails = z.infer<typeof BackfillDetails>;

export const Backfill = BackfillDetails.extend({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  deployment_id: DeploymentId,
  schedule_id: Uuid,
  status: BackfillStatus,
  /** Runs that were made so far. */
  made: z.int(),
});
export type Backfill = z.infer<typeof Backfill>;

/** A range of a schedule; without one, of the only schedule that the deployment has. */
export const BackfillRange = z.object({ start: WireTime, end: WireTime, schedule_id: Uuid.nullish() });
export type BackfillRange = z.infer<typeof BackfillRange>;

export const BackfillCreate = BackfillRange.extend({
  /** Default: 1. */
  concurrency: z.int().min(1).max(LIMITS.backfillRunsAtOnce).nullish(),
  /** Over those of deployment and schedule. */
  parameters: JsonObject.nullish(),
});
export type BackfillCreate = z.infer<typeof BackfillCreate>;

export const BackfillPreview = z.object({
  schedule_id: Uuid,
  total: z.int(),
  /** The first and the last few due times. */
  first: z.array(WireTime),
  last: z.array(WireTime),
});
export type BackfillPreview = z.infer<typeof BackfillPreview>;

const ofDeployment = z.object({ id: DeploymentId });
const byId = z.object({ id: Uuid });

export const previewBackfill = endpoint({
  id: "preview_backfill",
  method: "POST",
  path: "/deployments/:id/backfills/preview",
  tag: "Backfills",
  role: "viewer",
  summary: "Count the runs that a backfill would make, and show its first and last times.",
  params: ofDeployment,
  body: BackfillRange,
  returns: BackfillPreview,
});
export const createBackfill = endpoint({
  id: "create_backfill",
  method: "POST",
  path: "/deployments/:id/backfills",
  tag: "Backfills",
  status: 201,
  summary: "Run the times of a schedule in a range afterwards, a few at a time.",
  params: ofDeployment,
  body: BackfillCreate,
  returns: Backfill,
});
export const readBackfills = endpoint({
  id: "read_backfills",
  method: "GET",
  path: "/deployments/:id/backfills",
  tag: "Backfills",
  role: "viewer",
  summary: "List the backfills of a deployment, the newest first.",
  params: ofDeployment,
  returns: z.array(Backfill),
});
export const readBackfill = endpoint({
  id: "read_backfill",
  method: "GET",
  path: "/backfills/:id",
  tag: "Backfills",
  role: "viewer",
  summary: "Read a backfill.",
  params: byId,
  returns: Backfill,
});
export const cancelBackfill = endpoint({
  id: "cancel_backfill",
  method: "POST",
  path: "/backfills/:id/cancel",
  tag: "Backfills",
  summary: "Make no more runs of a backfill, and cancel those that are open.",
  params: byId,
  returns: Backfill,
});
