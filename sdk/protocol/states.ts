/** States of flow runs and task runs, in Prefect 3's wire form (reference: its server/schemas/states.py). */
import { z } from "zod";
import { bounded } from "./bounded.ts";
import { FlowRunId, StateId, TaskRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { LenientTime, WireTime } from "./time.ts";

/** All types of states, in upstream's order. */
export const STATE_TYPES = [
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
] as const;

/** What a state means to the engine. Its name says more to people, and may be anything. */
export const StateType = z.enum(STATE_TYPES);
export type StateType = z.infer<typeof StateType>;

/** States that a run leaves only by an explicit reschedule. */
export const TERMINAL_STATES: ReadonlySet<StateType> = new Set(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]);

/** True for COMPLETED, FAILED, CANCELLED and CRASHED; false for null ("no state yet"). */
export function isTerminal(type: StateType | null | undefined): boolean {
  return type != null && TERMINAL_STATES.has(type);
}

/**
 * The name of the SCHEDULED state of a run that its process hands on because its own time is over: another process goes
 * on with it, and it is no new attempt.
 */
export const CONTINUING = "Continuing";

/** The name a state has when nobody gave it one: its type in title case. */
export function defaultStateName(type: StateType): string {
  return type.charAt(0) + type.slice(1).toLowerCase();
}

/** Facts that travel with a state. Every key is present on the wire; `null` means "not said". */
export const StateDetails = z.object({
  flow_run_id: FlowRunId.nullable().default(null),
  task_run_id: TaskRunId.nullable().default(null),
  child_flow_run_id: FlowRunId.nullable().default(null),
  /** When a SCHEDULED run is due. */
  scheduled_time: LenientTime.nullable().default(null),
  cache_key: z.string().nullable().default(null),
  cache_expiration: LenientTime.nullable().default(null),
  /** The task run waits for a task worker. */
  deferred: z.boolean().nullable().default(false),
  /** The result is a value such as `true` or null: which tasks took it cannot be told. */
  untrackable_result: z.boolean().default(false),
  /** Until when a PAUSED run waits before it fails. */
  pause_timeout: LenientTime.nullable().default(null),
  /** The run was suspended: its process has ended, and another one goes on. */
  pause_reschedule: z.boolean().default(false),
  pause_key: z.string().nullable().default(null),
  /** Under which keys a pause keeps the schema of its input, and expects the input. */
  run_input_keyset: z.record(z.string(), z.string()).nullable().default(null),
  /** The task runs even if a result is remembered under its cache key. */
  refresh_cache: z.boolean().nullable().default(null),
  retriable: z.boolean().nullable().default(null),
  /** Made by the client, one per intended transition: a repeat after a lost answer is recognised by it. */
  transition_id: Uuid.nullable().default(null),
  task_parameters_id: Uuid.nullable().default(null),
  traceparent: z.string().nullable().default(null),
  deployment_concurrency_lease_id: Uuid.nullable().default(null),
});
export type StateDetails = z.infer<typeof StateDetails>;

/** State details in which nothing has been said. */
export const NO_DETAILS: StateDetails = Object.freeze(StateDetails.parse({}));

/** A stored state. Id and timestamp are minted by the owner of the run. */
export const State = z.object({
  id: StateId,
  type: StateType,
  name: z.string(),
  timestamp: WireTime,
  message: z.string().nullable(),
  /** The result or its metadata, opaque to the control plane. */
  data: z.unknown(),
  state_details: StateDetails,
});
export type State = z.infer<typeof State>;

/** A message as it is stored: what is too long is cut, and says so. */
export function cutMessage(message: string | null): string | null {
  if (message === null || message.length <= LIMITS.stateMessageChars) return message;
  return `${message.slice(0, LIMITS.stateMessageChars)}… (${message.length - LIMITS.stateMessageChars} characters cut)`;
}

/** A state that somebody proposes. */
export const StateCreate = z.object({
  type: StateType,
  name: z
    .string()
    .nullish()
    .transform((name) => name ?? null),
  message: z
    .string()
    .nullish()
    .transform((message) => cutMessage(message ?? null)),
  data: bounded(z.unknown().optional(), LIMITS.stateDataBytes).transform((data) => data ?? null),
  state_details: StateDetails.nullish().transform((details) => details ?? NO_DETAILS),
});
export type StateCreate = z.infer<typeof StateCreate>;

/** The four answers to a proposed state, as on Prefect's wire. */
export const OrchestrationResult = z.object({
  state: State.nullable(),
  status: z.enum(["ACCEPT", "REJECT", "WAIT", "ABORT"]),
  details: z.discriminatedUnion("type", [
    z.object({ type: z.literal("accept_details") }),
    z.object({ type: z.literal("reject_details"), reason: z.string().nullable() }),
    z.object({ type: z.literal("abort_details"), reason: z.string().nullable() }),
    z.object({
      type: z.literal("wait_details"),
      /** Whole seconds to wait before the same proposal is sent again. */
      delay_seconds: z.int(),
      reason: z.string().nullable(),
    }),
  ]),
});
export type OrchestrationResult = z.infer<typeof OrchestrationResult>;
