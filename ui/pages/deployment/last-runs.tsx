import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { filterFlowRuns } from "#protocol/flow-runs";
import type { DeploymentId } from "#protocol/ids";
import { LIVE_MS, read } from "../../api/read.ts";
import { ROW_LINK } from "../../components/list-keys.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { When } from "../../elements/when.tsx";
import { soon } from "../flow-runs/filters-of.ts";

const ROWS = 10;

/** The newest runs of a deployment. */
export function LastRuns({ deploymentId }: { readonly deploymentId: DeploymentId }) {
  const { data, error } = useQuery({
    ...read(filterFlowRuns, {
      body: {
        flow_runs: { deployment_id: { any_: [deploymentId] }, expected_start_time: { before_: soon() } },
        sort: "EXPECTED_START_TIME_DESC",
        limit: ROWS,
      },
    }),
    refetchInterval: LIVE_MS,
  });
  return (
    <section>
      <div className="row spread">
        <h2>Runs</h2>
        <Link to="/runs" search={{ deploymentId }}>
          All its runs
        </Link>
      </div>
      {error && !data && <ErrorNote title="The runs could not be read" error={error} />}
      {!data && !error && <Skeleton height="12rem" />}
      {data?.length === 0 && <p className="panel empty">It has not run yet.</p>}
      {data && data.length > 0 && (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Run</th>
                <th scope="col">Start</th>
                <th scope="col">Duration</th>
              </tr>
            </thead>
            <tbody>
              {data.map((run) => (
                <tr key={run.id}>
                  <td>
                    <StateBadge type={run.state_type} name={run.state_name} />
                  </td>
                  <td>
                    <Link to="/runs/$runId" params={{ runId: run.id }} {...ROW_LINK}>
                      {run.name}
                    </Link>
                  </td>
                  <td>
                    <When at={run.start_time ?? run.expected_start_time} />
                  </td>
                  <td>
                    <Took from={run.start_time} to={run.end_time} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
