import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { z } from "zod";
import { BACKFILL_LABEL } from "#protocol/backfills";
import { type FlowRun, filterFlowRuns } from "#protocol/flow-runs";
import { FlowRunId } from "#protocol/ids";
import { LIVE_MS, read } from "../../api/read.ts";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateBadge } from "../../elements/state-badge.tsx";
import { Took } from "../../elements/took.tsx";
import { When } from "../../elements/when.tsx";
import { soon } from "../flow-runs/filters-of.ts";
import { ParentLink } from "./parent-link.tsx";

const ROWS = 10;
/** The label of a run that repeats another one with other parameters. */
const RETRY_LABEL = "sluice.retry-of";

/** Runs that have to do with this one: its subflows, who called it, which it repeats, and others of its deployment. */
export function Related({ run }: { readonly run: FlowRun }) {
  const original = FlowRunId.safeParse(run.labels[RETRY_LABEL]);
  const isBackfilled = run.labels[BACKFILL_LABEL] !== undefined;
  return (
    <div className="stack">
      {(original.success || run.parent_task_run_id !== null || isBackfilled) && (
        <p>
          {original.success && (
            <>
              It repeats{" "}
              <Link to="/runs/$runId" params={{ runId: original.data }}>
                another run
              </Link>{" "}
              with other parameters.{" "}
            </>
          )}
          {run.parent_task_run_id !== null && (
            <>
              It is a subflow
              <ParentLink run={run} />.{" "}
            </>
          )}
          {isBackfilled && "It belongs to a backfill of its deployment."}
        </p>
      )}
      <Runs
        title="Subflows"
        none="It called no other flow."
        flow_runs={{ parent_flow_run_id: { any_: [run.id] } }}
        sort="EXPECTED_START_TIME_ASC"
        all={{ parentId: run.id }}
      />
      {run.deployment_id !== null && (
        <Runs
          title="Other runs of its deployment"
          none="There is no other one."
          flow_runs={{
            deployment_id: { any_: [run.deployment_id] },
            id: { not_any_: [run.id] },
            expected_start_time: { before_: soon() },
          }}
          sort="EXPECTED_START_TIME_DESC"
          all={{ deploymentId: run.deployment_id }}
          compareWith={run.id}
        />
      )}
    </div>
  );
}

type Body = z.input<NonNullable<typeof filterFlowRuns.body>>;

interface RunsProps {
  readonly title: string;
  readonly none: string;
  readonly flow_runs: NonNullable<Body["flow_runs"]>;
  readonly sort: "EXPECTED_START_TIME_ASC" | "EXPECTED_START_TIME_DESC";
  /** The list that has all of them. */
  readonly all: { readonly parentId: FlowRunId } | { readonly deploymentId: NonNullable<FlowRun["deployment_id"]> };
  readonly compareWith?: FlowRunId;
}

function Runs({ title, none, flow_runs, sort, all, compareWith }: RunsProps) {
  const { data, error } = useQuery({
    ...read(filterFlowRuns, { body: { flow_runs, sort, limit: ROWS } }),
    refetchInterval: LIVE_MS * 2,
  });
  return (
    <section>
      <div className="row spread">
        <h3>{title}</h3>
        <Link to="/runs" search={all}>
          All
        </Link>
      </div>
      {error && !data && <ErrorNote title={`${title} could not be read`} error={error} />}
      {!data && !error && <Skeleton height="8rem" />}
      {data?.length === 0 && <p className="quiet">{none}</p>}
      <ul className="lines">
        {data?.map((one) => (
          <li key={one.id}>
            <span className="row">
              <StateBadge type={one.state_type} name={one.state_name} />
              <Link to="/runs/$runId" params={{ runId: one.id }} data-row-link>
                {one.name}
              </Link>
            </span>
            <span className="row quiet">
              <Took from={one.start_time} to={one.end_time} />
              <When at={one.start_time ?? one.expected_start_time} />
              {compareWith && (
                <Link to="/compare" search={{ a: one.id, b: compareWith }}>
                  Compare
                </Link>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
