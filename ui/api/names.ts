/** Names of what lists only know by id, read in one request for each page of ids. */
import { keepPreviousData, type UseQueryResult, useQueries } from "@tanstack/react-query";
import { filterDeployments } from "#protocol/deployments";
import { filterFlowRuns } from "#protocol/flow-runs";
import { filterFlows } from "#protocol/flows";
import type { DeploymentId, FlowId, FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { read } from "./read.ts";

const STALE_MS = 60_000;

export function useFlowNames(ids: readonly (FlowId | null)[]): ReadonlyMap<FlowId, string> {
  return useQueries({
    queries: pagesOfIds(ids).map((any_) => ({
      ...read(filterFlows, { body: { flows: { id: { any_ } }, limit: LIMITS.pageRows } }),
      staleTime: STALE_MS,
      placeholderData: keepPreviousData,
    })),
    combine: namesOf<FlowId>,
  });
}

export function useDeploymentNames(ids: readonly (DeploymentId | null)[]): ReadonlyMap<DeploymentId, string> {
  return useQueries({
    queries: pagesOfIds(ids).map((any_) => ({
      ...read(filterDeployments, { body: { deployments: { id: { any_ } }, limit: LIMITS.pageRows } }),
      staleTime: STALE_MS,
      placeholderData: keepPreviousData,
    })),
    combine: namesOf<DeploymentId>,
  });
}

export function useRunNames(ids: readonly (FlowRunId | null)[]): ReadonlyMap<FlowRunId, string> {
  return useQueries({
    queries: pagesOfIds(ids).map((any_) => ({
      ...read(filterFlowRuns, { body: { flow_runs: { id: { any_ } }, limit: LIMITS.pageRows } }),
      staleTime: STALE_MS,
      placeholderData: keepPreviousData,
    })),
    combine: namesOf<FlowRunId>,
  });
}

/** The ids, each once and in one order, in as many pages as the API needs. */
export function pagesOfIds<Id extends string>(ids: readonly (Id | null)[]): Id[][] {
  const all = [...new Set(ids.filter((id) => id !== null))].sort();
  const count = Math.ceil(all.length / LIMITS.pageRows);
  return Array.from({ length: count }, (_, page) => all.slice(page * LIMITS.pageRows, (page + 1) * LIMITS.pageRows));
}

function namesOf<Id>(
  results: readonly UseQueryResult<readonly { readonly id: Id; readonly name: string }[]>[],
): ReadonlyMap<Id, string> {
  return new Map(results.flatMap(({ data }) => data ?? []).map(({ id, name }) => [id, name]));
}
