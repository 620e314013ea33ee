/** Names of what lists only know by id, read in one request for all ids of a list. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { filterDeployments } from "#protocol/deployments";
import { filterFlows } from "#protocol/flows";
import type { DeploymentId, FlowId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { read } from "./read.ts";

const STALE_MS = 60_000;

export function useFlowNames(ids: readonly (FlowId | null)[]): ReadonlyMap<FlowId, string> {
  const wanted = distinct(ids);
  const { data } = useQuery({
    ...read(filterFlows, { body: { flows: { id: { any_: wanted } }, limit: LIMITS.pageRows } }),
    enabled: wanted.length > 0,
    staleTime: STALE_MS,
    placeholderData: keepPreviousData,
  });
  return new Map(data?.map(({ id, name }) => [id, name]));
}

export function useDeploymentNames(ids: readonly (DeploymentId | null)[]): ReadonlyMap<DeploymentId, string> {
  const wanted = distinct(ids);
  const { data } = useQuery({
    ...read(filterDeployments, { body: { deployments: { id: { any_: wanted } }, limit: LIMITS.pageRows } }),
    enabled: wanted.length > 0,
    staleTime: STALE_MS,
    placeholderData: keepPreviousData,
  });
  return new Map(data?.map(({ id, name }) => [id, name]));
}

function distinct<Id extends string>(ids: readonly (Id | null)[]): Id[] {
  return [...new Set(ids.filter((id) => id !== null))].sort().slice(0, LIMITS.pageRows);
}
