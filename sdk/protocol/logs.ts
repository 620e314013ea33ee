/** Log lines of runs. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Paging } from "./filters.ts";
import { FlowRunId, TaskRunId, Uuid } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { cutLogMessage } from "./log-message.ts";
import { LenientTime, WireTime } from "./time.ts";

/** A line as a client sends it. Levels are Python's: 10 debug, 20 info, 30 warning, 40 error, 50 critical. */
export const LogCreate = z.object({
  name: z.string(),
  level: z.int(),
  message: z.string().overwrite(cutLogMessage),
  timestamp: WireTime,
  flow_run_id: FlowRunId.nullish().transform((id) => id ?? null),
  task_run_id: TaskRunId.nullish().transform((id) => id ?? null),
});
export type LogCreate = z.infer<typeof LogCreate>;

/** A stored line. */
export const Log = z.object({
  id: Uuid,
  created: WireTime,
  updated: WireTime,
  name: z.string(),
  level: z.int(),
  message: z.string(),
  timestamp: WireTime,
  flow_run_id: FlowRunId.nullable(),
  task_run_id: TaskRunId.nullable(),
});
export type Log = z.infer<typeof Log>;

const ids = z.array(Uuid).nullish();
/** Which lines: by run, level, time and text (`query`, whatever the case). */
export const LogFilter = z
  .object({
    operator: z.enum(["and_", "or_"]).nullish(),
    level: z.object({ ge_: z.int().nullish(), le_: z.int().nullish() }).nullish(),
    timestamp: z.object({ before_: LenientTime.nullish(), after_: LenientTime.nullish() }).nullish(),
    flow_run_id: z.object({ any_: ids, is_null_: z.boolean().nullish() }).nullish(),
    task_run_id: z.object({ any_: ids, is_null_: z.boolean().nullish() }).nullish(),
    text: z.object({ query: z.string().max(200) }).nullish(),
  })
  .nullish();
export type LogFilter = z.infer<typeof LogFilter>;

/** Orders of log lines; TIMESTAMP_ASC unless given. */
export const LogSort = z.enum(["TIMESTAMP_ASC", "TIMESTAMP_DESC"]);
export type LogSort = z.infer<typeof LogSort>;

/**
 * Keeps lines of runs that nobody has heard of yet, too; a line that names no run is dropped. 422 for more than 1,000
 * lines.
 */
export const createLogs = endpoint({
  id: "create_logs",
  method: "POST",
  path: "/logs/",
  tag: "Logs",
  status: 201,
  role: "worker",
  summary: "Store log lines.",
  body: z.array(LogCreate).max(LIMITS.logLines),
});
/** Without ids of runs, looks at the 20 newest flow runs only. 422 for more than 200 ids. */
export const filterLogs = endpoint({
  id: "filter_logs",
  method: "POST",
  path: "/logs/filter",
  tag: "Logs",
  role: "viewer",
  summary: "List log lines.",
  body: z.object({ logs: LogFilter, sort: LogSort.nullish() }).extend(Paging.shape),
  returns: z.array(Log),
});
