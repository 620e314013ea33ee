import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Deployment } from "#protocol/deployments";
import { filterFlowRuns } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { LIVE_MS, read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { DueTimes } from "./due-times.tsx";

const ROWS = 10;

/** The next runs that were made for it, in the viewer's zone and in that of the schedule that each comes from. */
export function NextRuns({ deployment }: { readonly deployment: Deployment }) {
  const { data, error } = useQuery({
    ...read(filterFlowRuns, {
      body: {
        flow_runs: { deployment_id: { any_: [deployment.id] }, state: { type: { any_: ["SCHEDULED"] } } },
        sort: "EXPECTED_START_TIME_ASC",
        limit: ROWS,
      },
    }),
    refetchInterval: LIVE_MS * 2,
  });
  const hasSchedules = deployment.schedules.some(({ active }) => active) && !deployment.paused;
  if (!hasSchedules && !data?.length) return null;
  const zones = new Map(deployment.schedules.map(({ id, schedule }) => [id, schedule.timezone || "UTC"]));
  const viewers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const times = (data ?? []).map(({ id, expected_start_time, created_by }) => ({
    key: id,
    at: Date.parse(expected_start_time ?? ""),
    // What somebody asked for by hand has no zone but the viewer's.
    zone: zones.get(created_by?.id ?? "") ?? viewers,
  }));
  return (
    <section className="panel">
      <h2>Next runs</h2>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="8rem" />}
      {data?.length === 0 && <p className="quiet">None is scheduled yet; the server makes them within a minute.</p>}
      <DueTimes
        times={times}
        wrap={({ key }, text) => (
          <Link to="/runs/$runId" params={{ runId: key as FlowRunId }}>
            {text}
          </Link>
        )}
      />
    </section>
  );
}
