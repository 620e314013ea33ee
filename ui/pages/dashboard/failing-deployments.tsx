import { Link } from "@tanstack/react-router";
import type { Dashboard } from "#protocol/dashboard";

/** What needs somebody to look at it, the worst first. */
export function FailingDeployments({ deployments }: { readonly deployments: Dashboard["failing_deployments"] }) {
  return (
    <section className="panel">
      <h2>Failing deployments</h2>
      {deployments.length === 0 && <p className="quiet">No deployment failed.</p>}
      <ul className="lines">
        {deployments.map(({ id, name, flow_name, failed, ended, last_failed_run_id }) => (
          <li key={id}>
            <Link to="/deployments/$deploymentId" params={{ deploymentId: id }} className="cut">
              {flow_name}/{name}
            </Link>
            <span className="row">
              <span className="quiet">
                {failed} of {ended}
              </span>
              <Link to="/runs/$runId" params={{ runId: last_failed_run_id }}>
                Last failure
              </Link>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
