/**
 * The run channel: between the process that runs a flow and the object that owns the run.
 *
 * A WebSocket at `/api/flow_runs/:id/channel`, or the same frames by `POST /api/flow_runs/:id/frames` where there is
 * no WebSocket. The process says `hello`, is welcomed with the run, then sends numbered batches (task states, logs)
 * which are acknowledged after they are stored, and proposals of flow-run states which are answered with verdicts.
 * Frames of one process are handled in order. A batch with a number that was stored before is acknowledged again and
 * not stored twice, so a process resumes after a broken connection by sending what was not acknowledged.
 *
 * Heartbeat: the text frame `ping`, answered `pong` by the runtime without waking the object.
 */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { FlowRun } from "./flow-runs.ts";
import { FlowRunId, TaskRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { LogCreate } from "./logs.ts";
import { OrchestrationResult, State, StateCreate } from "./states.ts";
import { TaskInput, TaskRunPolicy } from "./task-runs.ts";

/** Version of this protocol. The control plane speaks this one and, from version 2 on, the one before. */
export const RUN_CHANNEL_PROTOCOL = 1;
/** The text frame by which a process, a worker or a watcher shows that it is there. */
export const CHANNEL_PING = "ping";
/** What the runtime answers to {@link CHANNEL_PING}. */
export const CHANNEL_PONG = "pong";

/** What a process tells of one task run: who it is, and the states it went through since the last report. */
export const TaskReport = z.object({
  id: TaskRunId,
  name: z.string(),
  task_key: z.string(),
  dynamic_key: z.string(),
  task_version: z.string().nullable().default(null),
  cache_key: z.string().nullable().default(null),
  empirical_policy: TaskRunPolicy.default(TaskRunPolicy.parse({})),
  tags: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])).default({}),
  task_inputs: z.record(z.string(), z.array(TaskInput)).default({}),
  /** How often the task has entered RUNNING, the last of `states` included. */
  run_count: z.int().min(0).default(0),
  flow_run_run_count: z.int().min(0).default(0),
  states: z.array(State).min(1),
});
export type TaskReport = z.infer<typeof TaskReport>;

/** One entry of a batch: what is new of a task run, or a log line. */
export const ChannelItem = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("task"), task: TaskReport }),
  z.object({ kind: z.literal("log"), log: LogCreate }),
]);
export type ChannelItem = z.infer<typeof ChannelItem>;

/** Frames that a process sends. */
export const RunClientFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    protocol: z.int(),
    /** Made by the process at its start; batch numbers count within it. */
    session: Uuid,
    /** The generation of the claim that the process works under; null when it created the run itself. */
    generation: z.int().nullable(),
  }),
  z.object({ type: z.literal("batch"), n: z.int().min(1), items: z.array(ChannelItem).max(LIMITS.channelItems) }),
  z.object({
    type: z.literal("propose"),
    /** Chosen by the process; comes back in the verdict. */
    id: z.int(),
    state: StateCreate,
    force: z.boolean().default(false),
  }),
]);
export type RunClientFrame = z.infer<typeof RunClientFrame>;

/** Frames that the owner of the run sends. */
export const RunServerFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    protocol: z.int(),
    run: FlowRun,
    generation: z.int(),
    heartbeat_interval_ms: z.number(),
    /** The last batch of this session that is stored; 0 for none. */
    acked: z.int(),
  }),
  z.object({ type: z.literal("ack"), n: z.int() }),
  z.object({ type: z.literal("verdict"), id: z.int(), result: OrchestrationResult }),
  /** Somebody asked the run to stop: the state it is to be in, CANCELLING or PAUSED (suspended). */
  z.object({ type: z.literal("control"), action: z.enum(["cancel", "suspend"]), state: State }),
  /** The last frame before the socket is closed: what is wrong, and what to do. */
  z.object({ type: z.literal("error"), code: z.string(), message: z.string(), fix: z.string() }),
]);
export type RunServerFrame = z.infer<typeof RunServerFrame>;

/**
 * Each request is a conversation of its own; one that is broken off (run unknown, claim taken over) ends with an
 * `error` frame, not with a status. The token of a run is not good for other runs of deployments (403).
 */
export const sendRunFrames = endpoint({
  id: "send_run_frames",
  method: "POST",
  path: "/flow_runs/:id/frames",
  tag: "Sluice",
  role: "worker",
  summary: "The run channel without a WebSocket: the same frames in, the answers out. The first frame is `hello`.",
  params: z.object({ id: FlowRunId }),
  body: z.object({ frames: z.array(RunClientFrame).min(1).max(100) }),
  returns: z.object({ frames: z.array(RunServerFrame) }),
});
