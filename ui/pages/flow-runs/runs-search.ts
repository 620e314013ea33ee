/** Which runs are listed, as the address says it, and as the API is asked for it. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { FlowRunFilters, FlowRunSort } from "#protocol/filters";
import { filterFlowRuns } from "#protocol/flow-runs";
import { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import { STATE_TYPES, type StateType } from "#protocol/states";
import { api } from "../../api/client.ts";
import { flag, word } from "../../components/search-values.ts";
import { below, FIRST_PAGE, pageAfter } from "./run-page.ts";

/** Rows that are read at a time. */
const PAGE_ROWS = 100;
export const DEFAULT_SORT: FlowRunSort = "EXPECTED_START_TIME_DESC";

const time = z.iso.datetime().optional().catch(undefined);

export const RunsSearch = z.object({
  name: word,
  state: z
    .array(z.enum([...STATE_TYPES, "LATE"]))
    .optional()
    .catch(undefined),
  tags: z.array(z.string()).optional().catch(undefined),
  /** Part of the flow's name. */
  flow: word,
  /** Part of the deployment's or its flow's name. */
  deployment: word,
  pool: word,
  queue: word,
  version: word,
  since: time,
  until: time,
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

/** The API's filters for what the address says. */
export function filtersOf(search: RunsSearch): FlowRunFilters {
  const { name, tags, flow, deployment, pool, queue, version, since, flowId, deploymentId, parentId } = search;
  const withFuture = search.future || search.state?.includes("SCHEDULED");
  const until = search.until ?? (withFuture ? undefined : soon());
  return FlowRunFilters.parse({
    flow_runs: {
      ...(name && { name: { like_: name } }),
      ...(tags?.length && { tags: { all_: tags } }),
      ...(search.state?.length && { state: stateFilter(search.state) }),
      ...((since || until) && { expected_start_time: { after_: since ?? null, before_: until ?? null } }),
      ...(queue && { work_queue_name: { any_: [queue] } }),
      ...(version && { flow_version: { any_: [version] } }),
      ...(deploymentId && { deployment_id: { any_: [deploymentId] } }),
      ...(parentId && { parent_flow_run_id: { any_: [parentId] } }),
    },
    ...((flow || flowId) && {
      flows: { ...(flow && { name: { like_: flow } }), ...(flowId && { id: { any_: [flowId] } }) },
    }),
    ...(deployment && { deployments: { flow_or_deployment_name: { like_: deployment } } }),
    ...(pool && { work_pools: { name: { any_: [pool] } } }),
  });
}

/** The end of the minute after this one, so that what is asked for does not change with each look. */
export function soon(): string {
  return new Date(Math.ceil(Date.now() / 60_000 + 1) * 60_000).toISOString();
}

/** "Late" is a name of the type SCHEDULED. */
function stateFilter(states: NonNullable<RunsSearch["state"]>) {
  const types = states.filter((state): state is StateType => state !== "LATE");
  if (!states.includes("LATE")) return { type: { any_: types } };
  return { operator: "or_", type: { any_: types }, name: { any_: ["Late"] } };
}

export function runPages(search: RunsSearch) {
  const filters = filtersOf(search);
  const sort = search.sort ?? DEFAULT_SORT;
  return infiniteQueryOptions({
    queryKey: [filterFlowRuns.id, "pages", filters, sort] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(
        filterFlowRuns,
        { body: { ...below(filters, sort, pageParam), sort, limit: PAGE_ROWS } },
        { signal, idempotent: true },
      ),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (last, all) => (last.length < PAGE_ROWS ? null : pageAfter(all.flat(), sort)),
  });
}

/** Whether anything but the order and the view is asked for. */
export function isFiltered({ sort: _, plot: __, future: ___, ...rest }: RunsSearch): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}
