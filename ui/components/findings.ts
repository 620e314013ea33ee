/** What the command palette finds for a text: pages at once, runs and deployments as the server answers. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { NavigateOptions } from "@tanstack/react-router";
import { useDeferredValue } from "react";
import { filterDeployments } from "#protocol/deployments";
import { filterFlowRuns } from "#protocol/flow-runs";
import { FlowRunId } from "#protocol/ids";
import { read } from "../api/read.ts";
import { PAGES } from "./navigation.ts";

const ROWS = 6;

export interface Finding {
  readonly key: string;
  readonly kind: "Page" | "Run" | "Deployment";
  readonly title: string;
  readonly to: NavigateOptions;
}

export function useFindings(text: string): readonly Finding[] {
  const wanted = useDeferredValue(text.trim());
  const id = FlowRunId.safeParse(wanted);
  const enabled = wanted !== "";
  const runs = useQuery({
    ...read(filterFlowRuns, {
      body: { flow_runs: id.success ? { id: { any_: [id.data] } } : { name: { like_: wanted } }, limit: ROWS },
    }),
    enabled,
    placeholderData: keepPreviousData,
  });
  const deployments = useQuery({
    ...read(filterDeployments, {
      body: { deployments: { flow_or_deployment_name: { like_: wanted } }, limit: ROWS },
    }),
    enabled,
    placeholderData: keepPreviousData,
  });
  const pages = PAGES.filter(({ title }) => title.toLowerCase().includes(wanted.toLowerCase()));
  const found: Finding[] = pages.map(({ to, title }) => ({ key: to, kind: "Page", title, to: { to } }));
  if (!enabled) return found;
  for (const { id, name } of runs.data ?? []) {
    found.push({ key: id, kind: "Run", title: name, to: { to: "/runs/$runId", params: { runId: id } } });
  }
  for (const { id, name } of deployments.data ?? []) {
    const to: NavigateOptions = { to: "/deployments/$deploymentId", params: { deploymentId: id } };
    found.push({ key: id, kind: "Deployment", title: name, to });
  }
  return found;
}
