import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { readDeployment } from "#protocol/deployments";
import type { FlowRun } from "#protocol/flow-runs";
import { readFlow } from "#protocol/flows";
import { read } from "../../api/read.ts";
import type { LiveRun } from "../../api/run-stream.ts";
import { durationText } from "../../elements/spans.ts";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { When } from "../../elements/when.tsx";
import { RunActions } from "./actions/run-actions.tsx";
import { ParentLink } from "./parent-link.tsx";

/** What run this is, how it is, and what may be done with it. */
export function RunHead({ run, live }: { readonly run: FlowRun; readonly live: LiveRun }) {
  const { data: flow } = useQuery(read(readFlow, { params: { id: run.flow_id } }));
  const { data: deployment, error: noDeployment } = useQuery({
    ...read(readDeployment, { params: { id: run.deployment_id ?? "" } }),
    enabled: run.deployment_id !== null,
  });
  return (
    <header className="run-head">
      <div className="row spread">
        <div>
          <p className="crumb quiet">
            <Link to="/runs">Runs</Link> /{" "}
            <Link to="/runs" search={{ flowId: run.flow_id }}>
              {flow?.name ?? "flow"}
            </Link>
            {deployment && (
              <>
                {" / "}
                <Link to="/deployments/$deploymentId" params={{ deploymentId: deployment.id }}>
                  {deployment.name}
                </Link>
              </>
            )}
            <ParentLink run={run} />
          </p>
          <h1>{run.name}</h1>
        </div>
        <RunActions run={run} deployment={noDeployment ? null : deployment} />
      </div>
      <dl className="facts">
        <div>
          <dt>State</dt>
          <dd>
            <StateBadge type={run.state_type} name={run.state_name} />
          </dd>
        </div>
        <div>
          <dt>Started</dt>
          <dd>
            <When at={run.start_time} fallback="not yet" />
          </dd>
        </div>
        <div>
          <dt>Took</dt>
          <dd>
            <Took from={run.start_time} to={run.end_time} />
          </dd>
        </div>
        <div>
          <dt>Waited before</dt>
          <dd>{durationText(run.estimated_start_time_delta)}</dd>
        </div>
        <div>
          <dt>Attempts</dt>
          <dd>{run.run_count}</dd>
        </div>
        <div>
          <dt>Work pool</dt>
          <dd>
            {run.work_pool_name ? (
              <Link to="/work-pools/$poolName" params={{ poolName: run.work_pool_name }}>
                {run.work_pool_name}
              </Link>
            ) : (
              <span className="quiet">none</span>
            )}
          </dd>
        </div>
        {run.tags.length > 0 && (
          <div>
            <dt>Tags</dt>
            <dd className="row">
              {run.tags.map((tag) => (
                <span key={tag} className="tag" title={tag}>
                  {tag}
                </span>
              ))}
            </dd>
          </div>
        )}
        {live.status === "lost" && <div role="status">Connecting again …</div>}
      </dl>
    </header>
  );
}
