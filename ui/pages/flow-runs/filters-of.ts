/** The API's filters for what the address of the list of runs says. */
import { FlowRunFilters } from "#protocol/filters";
import type { StateType } from "#protocol/states";
import type { RunsSearch } from "./runs-search.ts";

export function filtersOf(search: RunsSearch): FlowRunFilters {
  const { name, flow, pool, queue, version, since, flowId, parentId, idempotencyKey, level } = search;
  const until = search.until ?? (mayLieAhead(search) ? undefined : soon());
  return FlowRunFilters.parse({
    flow_runs: {
      ...(name && { name: { like_: name } }),
      ...tagsOf(search),
      ...stateOf(search),
      ...((since || until) && { expected_start_time: { after_: since ?? null, before_: until ?? null } }),
      ...startOf(search),
      ...endOf(search),
      ...deploymentOf(search),
      ...makerOf(search),
      ...(queue && { work_queue_name: { any_: [queue] } }),
      ...(version && { flow_version: { any_: [version] } }),
      ...(idempotencyKey && { idempotency_key: { any_: [idempotencyKey] } }),
      ...(parentId && { parent_flow_run_id: { any_: [parentId] } }),
      ...(level && { parent_task_run_id: { is_null_: level === "top" } }),
    },
    ...((flow || flowId) && {
      flows: { ...(flow && { name: { like_: flow } }), ...(flowId && { id: { any_: [flowId] } }) },
    }),
    ...(search.deployment && { deployments: { flow_or_deployment_name: { like_: search.deployment } } }),
    ...(pool && { work_pools: { name: { any_: [pool] } } }),
  });
}

/** Whether runs are asked for that may be due later: those are left out otherwise. */
function mayLieAhead({ future, state, stateNames }: RunsSearch): boolean {
  return future === true || state?.includes("SCHEDULED") === true || stateNames !== undefined;
}

/** The end of the minute after this one, so that what is asked for does not change with each look. */
export function soon(): string {
  return new Date(Math.ceil(Date.now() / 60_000 + 1) * 60_000).toISOString();
}

function tagsOf({ tags, anyTag, untagged }: RunsSearch) {
  if (!tags?.length && !anyTag?.length && !untagged) return {};
  return {
    tags: {
      ...(tags?.length && { all_: tags }),
      ...(anyTag?.length && { any_: anyTag }),
      ...(untagged && { is_null_: true }),
    },
  };
}

/** In any of these states, by type or by name. "Late" is a name of the type SCHEDULED. */
function stateOf({ state = [], stateNames = [] }: RunsSearch) {
  const types = state.filter((one): one is StateType => one !== "LATE");
  const names = state.includes("LATE") ? ["Late", ...stateNames] : stateNames;
  if (types.length === 0 && names.length === 0) return {};
  return {
    state: {
      operator: "or_",
      ...(types.length > 0 && { type: { any_: types } }),
      ...(names.length > 0 && { name: { any_: names } }),
    },
  };
}

/** Only of runs that have started: to the API, the others start when they are due. */
function startOf({ startedAfter, startedBefore }: RunsSearch) {
  if (!startedAfter && !startedBefore) return {};
  return { start_time: { after_: startedAfter ?? null, before_: startedBefore ?? null, is_null_: false } };
}

function endOf({ endedAfter, endedBefore }: RunsSearch) {
  if (!endedAfter && !endedBefore) return {};
  return { end_time: { after_: endedAfter ?? null, before_: endedBefore ?? null } };
}

function deploymentOf({ deploymentId, undeployed }: RunsSearch) {
  if (deploymentId) return { deployment_id: { any_: [deploymentId] } };
  return undeployed ? { deployment_id: { is_null_: true } } : {};
}

function makerOf({ madeBy }: RunsSearch) {
  if (!madeBy) return {};
  return { created_by: madeBy === "CALL" ? { is_null_: true } : { type_: [madeBy] } };
}
