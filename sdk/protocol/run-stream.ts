/**
 * The live stream of one flow run, for whoever watches it: first all that is known, then each change as it is stored.
 * Nothing is sent by the watcher but the channel's ping. A watcher that cannot keep up is closed with
 * {@link STREAM_CLOSE}.slow, connects again, and gets a snapshot. Beyond Prefect's API.
 */
import { z } from "zod";
import { FlowRun } from "./flow-runs.ts";
import { Log } from "./logs.ts";
import { TaskRun } from "./task-runs.ts";

/** Frames of the stream. After the `snapshot` come changes: runs whole, in their newest form, and new log lines. */
export const RunStreamFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("snapshot"),
    flow_run: FlowRun,
    /** The first of them; those beyond {@link FRAME_TASK_RUNS} follow in frames of their own. */
    task_runs: z.array(TaskRun),
    /** The newest lines, oldest first; the rest is read from `POST /logs/filter`. */
    logs: z.array(Log),
  }),
  z.object({ type: z.literal("flow_run"), flow_run: FlowRun }),
  z.object({ type: z.literal("task_runs"), task_runs: z.array(TaskRun) }),
  z.object({ type: z.literal("logs"), logs: z.array(Log) }),
]);
export type RunStreamFrame = z.infer<typeof RunStreamFrame>;

/** Codes with which the server closes a stream. */
export const STREAM_CLOSE = { deleted: 4404, slow: 1013 } as const;

/** Task runs of one frame at most, so that none takes a watcher long to read. */
export const FRAME_TASK_RUNS = 500;

/** Lines of a snapshot. */
export const SNAPSHOT_LOG_LINES = 200;
