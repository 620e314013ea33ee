import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { filterFlowRuns } from "#protocol/flow-runs";
import { LIVE_MS, read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateGlyph, shownState } from "../../elements/state-glyph.tsx";
import { When } from "../../elements/when.tsx";

const ROWS = 8;

/** The next runs of the pool, the latest first. */
export function WaitingRuns({ poolName }: { readonly poolName: string }) {
  const { data, error } = useQuery({
    ...read(filterFlowRuns, {
      body: {
        work_pools: { name: { any_: [poolName] } },
        flow_runs: { state: { type: { any_: ["SCHEDULED"] } } },
        sort: "EXPECTED_START_TIME_ASC",
        limit: ROWS,
      },
    }),
    refetchInterval: LIVE_MS,
  });
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Waiting</h2>
        <Link to="/runs" search={{ pool: poolName, state: ["SCHEDULED"] }}>
          All
        </Link>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="4rem" />}
      {data?.length === 0 && <p className="quiet">No run waits.</p>}
      <ul className="lines">
        {data?.map((run) => (
          <li key={run.id}>
            <span className="state cut">
              <StateGlyph state={shownState(run.state_type, run.state_name)} />
              <Link to="/runs/$runId" params={{ runId: run.id }} className="cut">
                {run.name}
              </Link>
            </span>
            <span className="quiet">
              <When at={run.next_scheduled_start_time ?? run.expected_start_time} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
