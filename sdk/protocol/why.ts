/**
 * Why a flow run is not running: the exact reasons, from those who decide. The first is the one that decides now; those
 * after it stand in the way as well, or say more.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { DeploymentId, FlowRunId } from "./ids.ts";
import { StateType } from "./states.ts";
import { WireTime } from "./time.ts";

function reason<K extends string, D extends z.ZodRawShape>(kind: K, details: D) {
  return z.object({ kind: z.literal(kind), message: z.string(), details: z.object(details) });
}

const place = { work_pool_name: z.string(), work_queue_name: z.string() };

/** One reason: its kind, a sentence for people, and what that says as data. Times are null where there is none. */
export const Why = z.discriminatedUnion("kind", [
  /** It runs, or it has ended: it waits for nothing. */
  reason("not_waiting", { state_type: StateType.nullable(), state_name: z.string().nullable() }),
  /** Its time has not come. */
  reason("not_due", { due_at: WireTime }),
  /** It failed, and the delay before its retry is not over. */
  reason("retry_delay", { due_at: WireTime, run_count: z.int(), in_process: z.boolean() }),
  /** A concurrency limit had no slot for it; it asks again at this time. */
  reason("awaiting_slot", { due_at: WireTime, said: z.string().nullable() }),
  /** It was paused, or waits for input, until somebody resumes it or the time is over. */
  reason("paused", { until: WireTime.nullable(), waits_for_input: z.boolean(), is_suspended: z.boolean() }),
  /** Somebody has claimed it and not started it. Without a worker's name, one that polls. */
  reason("claimed", { worker_name: z.string().nullable(), generation: z.int(), until: WireTime.nullable() }),
  /** Claims came back before its code was started. */
  reason("returned", { times: z.int(), times_allowed: z.int(), reasons: z.array(z.string()) }),
  /** It is in no work pool: only a process that serves its deployment takes it. */
  reason("no_work_pool", { deployment_id: DeploymentId.nullable(), last_polled: WireTime.nullable() }),
  /** The work pool that it was made for does not exist any more. */
  reason("work_pool_deleted", { work_pool_name: z.string() }),
  /** Its message to the pool was given up. */
  reason("dead_lettered", { dead_letter_id: z.string(), attempts: z.int(), created: WireTime }),
  /** The pool does not have it in its list: it is offered again by itself. */
  reason("not_offered", { work_pool_name: z.string() }),
  reason("work_pool_paused", { work_pool_name: z.string() }),
  reason("work_queue_paused", place),
  /**
   * All slots of the pool or the queue, of the deployment's limit or of the run's key are taken, by these runs (the first
   * few; others may hold slots of a limit that they share).
   */
  reason("limit_full", {
    limit: z.enum(["work_pool", "work_queue", "deployment", "key"]),
    name: z.string(),
    slots: z.int(),
    taken: z.int(),
    holders: z.array(FlowRunId),
  }),
  /** Its place among those who wait for slots of a limit, or of its key; 1 is the next. */
  reason("in_limit_line", {
    limit: z.enum(["deployment", "key"]),
    name: z.string(),
    position: z.int(),
    waiting: z.int(),
  }),
  /** Nobody who could take it is there; these were, last. */
  reason("no_worker_online", {
    work_pool_name: z.string(),
    last_seen: z.array(z.object({ name: z.string(), at: WireTime.nullable() })),
  }),
  /** The workers that are online take runs of other queues only. */
  reason("no_worker_for_queue", { ...place, workers: z.array(z.string()) }),
  /** Every worker that could take it has as many runs as it takes. */
  reason("workers_busy", {
    workers: z.array(z.object({ name: z.string(), limit: z.int(), active: z.int(), draining: z.boolean() })),
  }),
  /** Workers that poll are online: one of them takes it at its next question. */
  reason("awaits_poll", { workers: z.array(z.string()) }),
  /** Its owner could not be asked for it; it is asked again at this time. */
  reason("claim_failing", { retry_at: WireTime }),
  /** Not what it waits for, but for how long: after this it is not started any more. */
  reason("expires", { expires_at: WireTime }),
  /** It is being given to a worker at this moment. */
  reason("being_claimed", { worker_name: z.string().nullable() }),
  /** It is on its way to the HTTP target of its pool. */
  reason("being_pushed", { work_pool_name: z.string(), attempts: z.int() }),
  /** The HTTP target could not be reached, or refused it (`status`); it is pushed again at this time. */
  reason("push_failing", {
    work_pool_name: z.string(),
    attempts: z.int(),
    attempts_allowed: z.int(),
    status: z.int().nullable(),
    said: z.string(),
    retry_at: WireTime.nullable(),
  }),
  /** The HTTP target accepted it and has not begun; it is offered again unless it begins before this. */
  reason("push_accepted", { work_pool_name: z.string(), budget_ms: z.number().nullable(), until: WireTime }),
  /** Its place among the runs of its queue that are to start; 1 is the next. */
  reason("in_line", { ...place, position: z.int() }),
]);
export type Why = z.infer<typeof Why>;

/** One reason by its kind. */
export type WhyOf<K extends Why["kind"]> = Extract<Why, { kind: K }>;

/** All reasons of one run, and the state that it is in; both parts of it null before its first. */
export const WhyNotRunning = z.object({
  flow_run_id: FlowRunId,
  state_type: StateType.nullable(),
  state_name: z.string().nullable(),
  /** False when it runs or has ended. */
  is_waiting: z.boolean(),
  reasons: z.array(Why).min(1),
});
export type WhyNotRunning = z.infer<typeof WhyNotRunning>;

/** Asks the run's owner and its pool at that moment. 404 for an unknown run. */
export const readWhy = endpoint({
  id: "read_why_flow_run_waits",
  method: "GET",
  path: "/flow_runs/:id/why",
  tag: "Flow Runs",
  role: "viewer",
  summary: "Say why a flow run is not running: the exact reasons, from those who decide.",
  params: z.object({ id: FlowRunId }),
  returns: WhyNotRunning,
});
