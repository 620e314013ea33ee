import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Deployment } from "#protocol/deployments";
import { filterFlowRuns } from "#protocol/flow-runs";
import { LIVE_MS, read } from "../../api/read.ts";
import { Skeleton } from "../../elements/skeleton.tsx";
import { When } from "../../elements/when.tsx";
import { offsetText, zoneText } from "./zone-text.ts";

const ROWS = 10;

/** The next runs that its schedules have made, in the viewer's zone and the schedule's; changes of the clock are marked. */
export function NextRuns({ deployment }: { readonly deployment: Deployment }) {
  const { data } = useQuery({
    ...read(filterFlowRuns, {
      body: {
        flow_runs: { deployment_id: { any_: [deployment.id] }, state: { type: { any_: ["SCHEDULED"] } } },
        sort: "EXPECTED_START_TIME_ASC",
        limit: ROWS,
      },
    }),
    refetchInterval: LIVE_MS * 2,
  });
  if (deployment.schedules.length === 0) return null;
  const zone = deployment.schedules[0]?.schedule.timezone ?? "UTC";
  const times = (data ?? []).map(({ id, expected_start_time }) => ({ id, at: Date.parse(expected_start_time ?? "") }));
  return (
    <section className="panel">
      <h2>Next runs</h2>
      {!data && <Skeleton height="8rem" />}
      {data?.length === 0 && <p className="quiet">None is scheduled yet; the server makes them within a minute.</p>}
      <ul className="lines">
        {times.map(({ id, at }, index) => {
          const before = times[index - 1];
          const changed = before !== undefined && offsetText(before.at, zone) !== offsetText(at, zone);
          return (
            <li key={id}>
              <Link to="/runs/$runId" params={{ runId: id }}>
                {zoneText(at)}
              </Link>
              <span className="row quiet">
                {changed && <span className="tag">clock changes to {offsetText(at, zone)}</span>}
                {zoneText(at, zone)}
                <When at={new Date(at).toISOString()} />
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
