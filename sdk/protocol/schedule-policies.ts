/**
 * What a schedule can do beyond Prefect's. Prefect's clients refuse schedules with keys that they do not know, so a
 * policy has an address of its own; see docs/decisions/0013-schedule-policies.md.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { DeploymentId, Uuid } from "./ids.ts";
import { WireTime } from "./time.ts";

const WEEK_SECONDS = 7 * 24 * 60 * 60;

/** What happens when a run is due while earlier runs of the schedule have not ended. */
export const OverlapPolicy = z.enum(["ALLOW", "SKIP", "BUFFER_ONE", "BUFFER_ALL", "CANCEL_OTHER"]);
export type OverlapPolicy = z.infer<typeof OverlapPolicy>;

/**
 * What becomes of times that passed while the control plane was down or the schedule was paused. DEFAULT is Prefect's:
 * runs that had been made still run, late; no others are made. NONE runs none of them, LAST the last one, ALL all.
 */
export const CatchUpMode = z.enum(["DEFAULT", "NONE", "LAST", "ALL"]);
export type CatchUpMode = z.infer<typeof CatchUpMode>;

/** The label of a run whose schedule does not allow runs to overlap; its value is the policy. */
export const OVERLAP_LABEL = "sluice.schedule.overlap";

/** What holds for a schedule; {@link DEFAULT_POLICY} where nothing was said. */
export const SchedulePolicy = z.object({
  overlap: OverlapPolicy,
  catch_up: CatchUpMode,
  /** Times that passed longer ago are not caught up with. In seconds. */
  catch_up_window: z
    .int()
    .min(60)
    .max(52 * WEEK_SECONDS),
  /** Each run starts up to so many seconds after its due time; by how many is always the same for a due time. */
  jitter: z
    .number()
    .min(0)
    .max(24 * 60 * 60),
  /** The first and the last moment at which a run may be due; null for no bound. */
  start_at: WireTime.nullable(),
  end_at: WireTime.nullable(),
});
export type SchedulePolicy = z.infer<typeof SchedulePolicy>;

/** How Prefect's schedules behave. */
export const DEFAULT_POLICY: SchedulePolicy = {
  overlap: "ALLOW",
  catch_up: "DEFAULT",
  catch_up_window: 24 * 60 * 60,
  jitter: 0,
  start_at: null,
  end_at: null,
};

/** An absent key or null means the default. */
export const SchedulePolicyChange = z
  .object({
    overlap: OverlapPolicy.nullish(),
    catch_up: CatchUpMode.nullish(),
    catch_up_window: SchedulePolicy.shape.catch_up_window.nullish(),
    jitter: SchedulePolicy.shape.jitter.nullish(),
    start_at: WireTime.nullish(),
    end_at: WireTime.nullish(),
  })
  .refine(({ start_at, end_at }) => !start_at || !end_at || start_at < end_at, {
    path: ["end_at"],
    error: "is not after start_at: nothing would ever be due",
  });
export type SchedulePolicyChange = z.infer<typeof SchedulePolicyChange>;

/** The whole policy that a change describes. */
export function policyOf(change: SchedulePolicyChange): SchedulePolicy {
  const said = Object.fromEntries(Object.entries(change).filter(([, value]) => value != null));
  return { ...DEFAULT_POLICY, ...said };
}

const bySchedule = z.object({ id: DeploymentId, schedule_id: Uuid });

/** 404 for an unknown schedule, or one of another deployment. */
export const readSchedulePolicy = endpoint({
  id: "read_schedule_policy",
  method: "GET",
  path: "/deployments/:id/schedules/:schedule_id/policy",
  tag: "Deployments",
  role: "viewer",
  summary: "Read what a schedule does beyond Prefect's: overlap, catching up, jitter, and its first and last moment.",
  params: bySchedule,
  returns: SchedulePolicy,
});
/**
 * Runs that were made ahead are made anew by the policy. Answers the whole policy; 404 for an unknown schedule, or one
 * of another deployment.
 */
export const setSchedulePolicy = endpoint({
  id: "set_schedule_policy",
  method: "PUT",
  path: "/deployments/:id/schedules/:schedule_id/policy",
  tag: "Deployments",
  summary: "Set what a schedule does beyond Prefect's; what is left out gets its default.",
  params: bySchedule,
  body: SchedulePolicyChange,
  returns: SchedulePolicy,
});
