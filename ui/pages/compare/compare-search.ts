import { z } from "zod";
import { FlowRunId } from "#protocol/ids";
import { flag } from "../../components/search-values.ts";

/** The two runs that are held against each other. */
export const CompareSearch = z.object({
  a: FlowRunId,
  b: FlowRunId,
  /** Only task runs that did not end alike. */
  differing: flag,
});
