/** Artifacts as points in time: on the row of the task run that left them, or on that of the run. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { filterArtifacts } from "#protocol/artifacts";
import type { FlowRun } from "#protocol/flow-runs";
import { isTerminal } from "#protocol/states";
import { LIVE_MS, read } from "../../../api/read.ts";

export interface Mark {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
}

/** The key of marks that belong to no task run. */
export const OF_THE_RUN = "run";

/** By the id of the task run, or {@link OF_THE_RUN}. */
export function useMarks(run: FlowRun): ReadonlyMap<string, readonly Mark[]> {
  const { data } = useQuery({
    ...read(
      filterArtifacts,
      {
        body: {
          artifacts: { flow_run_id: { any_: [run.id] }, type: { not_any_: ["result"] } },
          sort: "CREATED_DESC",
        },
      },
      run.state_id,
    ),
    placeholderData: (before) => before,
    refetchInterval: isTerminal(run.state_type) ? false : LIVE_MS,
  });
  return useMemo(
    () =>
      Map.groupBy(
        (data ?? []).map(({ id, key, type, created, task_run_id }) => ({
          id,
          atMs: Date.parse(created),
          text: `${type ?? "artifact"} ${key ?? ""}`.trim(),
          of: task_run_id ?? OF_THE_RUN,
        })),
        ({ of }) => of as string,
      ),
    [data],
  );
}
