import { Link } from "@tanstack/react-router";
import type { Dashboard } from "#protocol/dashboard";
import { WorkerSteps } from "./first-steps.tsx";

const WORDS = { READY: "Ready", NOT_READY: "No worker", PAUSED: "Paused" } as const;

/** How the work pools are. */
export function Pools({ pools }: { readonly pools: Dashboard["work_pools"] }) {
  return (
    <section className="panel">
      <h2>Work pools</h2>
      {pools.length === 0 && <p className="quiet">There is no work pool. Deployments need one, and a worker:</p>}
      <ul className="lines">
        {pools.map(({ id, name, status, workers_online, running, late, concurrency_limit }) => (
          <li key={id}>
            <Link to="/work-pools/$poolName" params={{ poolName: name }} className="cut">
              {name}
            </Link>
            <span className="row quiet">
              {late > 0 && <strong className="warning-text">{late} late</strong>}
              <span>
                {running}
                {concurrency_limit === null ? "" : ` of ${concurrency_limit}`} running
              </span>
              <span>
                {workers_online} {workers_online === 1 ? "worker" : "workers"}
              </span>
              <span className="tag">{WORDS[status]}</span>
            </span>
          </li>
        ))}
      </ul>
      <WorkerSteps pools={pools} />
    </section>
  );
}
