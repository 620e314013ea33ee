import { z } from "zod";
import { TaskRunId } from "#protocol/ids";
import { flag, whole, word } from "../../components/search-values.ts";

export const TABS = ["timeline", "graph", "tasks", "logs", "parameters", "artifacts", "related", "history"] as const;
export type Tab = (typeof TABS)[number];

/** What of a run's page is kept in its address. */
export const RunSearch = z.object({
  tab: z.enum(TABS).optional().catch(undefined),
  /** The task run that is looked at. */
  task: TaskRunId.optional().catch(undefined),
  errors: flag,
  /** Of the timeline: what of the time is in sight, in ms since 1970, and which rows are open. */
  from: whole,
  until: whole,
  rows: z.array(TaskRunId).optional().catch(undefined),
  /** The form over the page: "again" or "resume". */
  open: word,
  /** Of the log: least level, text, and the time of the line that a link leads to. */
  level: whole,
  text: word,
  line: word,
});
export type RunSearch = z.infer<typeof RunSearch>;
