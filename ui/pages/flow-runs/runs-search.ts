/** Which runs are listed, as the address says it. */
import { z } from "zod";
import { FlowRunSort } from "#protocol/filters";
import { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import { STATE_TYPES } from "#protocol/states";
import { flag, word } from "../../components/search-values.ts";

export const DEFAULT_SORT: FlowRunSort = "EXPECTED_START_TIME_DESC";

/** What `created_by` of a run names; CALL is a run that has none: somebody asked for it, by hand or through the API. */
export const MAKERS = ["SCHEDULE", "WEBHOOK", "AUTOMATION", "CALL"] as const;

const time = z.iso.datetime().optional().catch(undefined);
const words = z.array(z.string()).optional().catch(undefined);

export const RunsSearch = z.object({
  name: word,
  state: z
    .array(z.enum([...STATE_TYPES, "LATE"]))
    .optional()
    .catch(undefined),
  /** Beside the types of `state`, also runs in states of these names. */
  stateNames: words,
  /** All of them. */
  tags: words,
  /** At least one of them. */
  anyTag: words,
  untagged: flag,
  /** Part of the flow's name. */
  flow: word,
  /** Part of the deployment's or its flow's name. */
  deployment: word,
  pool: word,
  queue: word,
  version: word,
  idempotencyKey: word,
  /** Without a deployment. */
  undeployed: flag,
  madeBy: z.enum(MAKERS).optional().catch(undefined),
  /** Runs that are no subflows, or only those that are. */
  level: z.enum(["top", "sub"]).optional().catch(undefined),
  /** Bounds of when they were, or are, to start. */
  since: time,
  until: time,
  startedAfter: time,
  startedBefore: time,
  endedAfter: time,
  endedBefore: time,
  flowId: FlowId.optional().catch(undefined),
  deploymentId: DeploymentId.optional().catch(undefined),
  /** Subflows of this run. */
  parentId: FlowRunId.optional().catch(undefined),
  sort: FlowRunSort.optional().catch(undefined),
  plot: flag,
  /** Also runs that are scheduled for later; asked for implicitly by those states, and by an end of the span. */
  future: flag,
});
export type RunsSearch = z.infer<typeof RunsSearch>;

/** Whether anything but the order and the view is asked for. */
export function isFiltered({ sort: _, plot: __, future: ___, ...rest }: RunsSearch): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}
