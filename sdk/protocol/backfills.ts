/** Backfills: the due times of a schedule in a range are run afterwards, a few at a time. Beyond Prefect's API. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { JsonObject } from "./flow-runs.ts";
import { DeploymentId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { WireTime } from "./time.ts";

/** The label of a run that says which backfill it belongs to. */
export const BACKFILL_LABEL = "sluice.backfill.id";

/**
 * RUNNING until the last of its runs has ended, then COMPLETED, whatever became of them. CANCELLED by request, or
 * because its schedule was deleted.
 */
export const BackfillStatus = z.enum(["RUNNING", "COMPLETED", "CANCELLED"]);
export type BackfillStatus = z.infer<typeof BackfillStatus>;

/** What was asked for. */
export const BackfillDetails = z.object({
  /** The first and the last moment, both included. */
  start: WireTime,
  end: WireTime,
  /** Runs that may be open at the same time. */
  concurrency: z.int(),
  /** Over those of deployment and schedule. */
  parameters: JsonObject,
  /** Due times in the range. */
  total: z.int(),
});
export type BackfillDetails = z.infer<typeof BackfillDetails>;

/** A backfill, and how far it has come. */
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

/** What a new backfill is to run, and how. Both ends of the range are included. */
export const BackfillCreate = BackfillRange.extend({
  /** Default: 1. */
  concurrency: z.int().min(1).max(LIMITS.backfillRunsAtOnce).nullish(),
  /** Over those of deployment and schedule. */
  parameters: JsonObject.nullish(),
});
export type BackfillCreate = z.infer<typeof BackfillCreate>;

/** What a backfill of a range would run. Nothing is made. */
export const BackfillPreview = z.object({
  schedule_id: Uuid,
  /** Due times in the range. */
  total: z.int(),
  /** The first and the last few due times. */
  first: z.array(WireTime),
  last: z.array(WireTime),
});
export type BackfillPreview = z.infer<typeof BackfillPreview>;

const ofDeployment = z.object({ id: DeploymentId });
const byId = z.object({ id: Uuid });

/**
 * What {@link createBackfill} would do, without doing it. 404 for an unknown deployment or schedule. 422 when the range
 * ends before it begins or has more than 50,000 due times, and when no schedule is named where the deployment does not
 * have exactly one.
 */
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
/**
 * The schedule need not be active. The first runs are there when this is answered. Errors as those of
 * {@link previewBackfill}; also 422 when nothing is due in the range.
 */
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
/** The newest 200; there are no pages. 404 for an unknown deployment. */
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
/** One backfill with how far it has come. 404 when there is none. */
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
/**
 * Runs that wait are cancelled at once, those that have begun are asked to stop. A backfill that is over stays as it
 * is. 404 when there is none.
 */
export const cancelBackfill = endpoint({
  id: "cancel_backfill",
  method: "POST",
  path: "/backfills/:id/cancel",
  tag: "Backfills",
  summary: "Make no more runs of a backfill, and cancel those that are open.",
  params: byId,
  returns: Backfill,
});
