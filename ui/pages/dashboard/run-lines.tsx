import { Link } from "@tanstack/react-router";
import type { Dashboard } from "#protocol/dashboard";
import { StateGlyph, shownState } from "../../elements/state-glyph.tsx";
import { When } from "../../elements/when.tsx";

export interface RunLinesProps {
  readonly title: string;
  readonly runs: Dashboard["now"]["runs"];
  /** Which of a run's times is shown. */
  readonly time: "start_time" | "expected_start_time";
  /** Said when there are no runs. */
  readonly none: string;
}

export function RunLines({ title, runs, time, none }: RunLinesProps) {
  return (
    <section className="panel">
      <h2>{title}</h2>
      {runs.length === 0 && <p className="quiet">{none}</p>}
      <ul className="lines">
        {runs.map((run) => (
          <li key={run.id}>
            <span className="state cut">
              <StateGlyph state={shownState(run.state_type, run.state_name)} />
              <Link to="/runs/$runId" params={{ runId: run.id }} className="cut">
                {run.name}
              </Link>
              <span className="quiet cut">{run.flow_name}</span>
            </span>
            <span className="quiet">
              <When at={run[time]} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
