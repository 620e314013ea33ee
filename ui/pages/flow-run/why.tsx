import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FlowRun } from "#protocol/flow-runs";
import { type Why as Reason, readWhy } from "#protocol/why";
import { LIVE_MS, read } from "../../api/read.ts";
import { Commands } from "../../elements/commands.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { onThisServer } from "../../elements/on-this-server.ts";
import { Sentence } from "../../elements/sentence.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";

/** Why a run that has not begun, or is paused, waits: the exact reasons, from those who decide. */
export function Why({ run }: { readonly run: FlowRun }) {
  const waits = run.state_type === "SCHEDULED" || run.state_type === "PENDING" || run.state_type === "PAUSED";
  const { data, error } = useQuery({
    ...read(readWhy, { params: { id: run.id } }, run.state_id),
    enabled: waits,
    refetchInterval: LIVE_MS,
  });
  if (!waits || data?.is_waiting === false) return null;
  return (
    <section className="notice stack" style={{ gap: "var(--gap-2)" }} aria-labelledby="why">
      <h2 id="why">Why it waits</h2>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="1.5rem" />}
      {data?.reasons.map((reason, index) => (
        <div key={reason.kind}>
          <p className={index === 0 ? "" : "quiet"}>
            <Sentence text={reason.message} />
          </p>
          <More reason={reason} />
        </div>
      ))}
    </section>
  );
}

/** What to do about a reason, or who is behind it. */
function More({ reason }: { readonly reason: Reason }) {
  switch (reason.kind) {
    case "no_worker_online":
      return <Commands lines={[onThisServer(`sluice worker start --pool ${reason.details.work_pool_name}`)]} />;
    case "work_pool_paused":
    case "work_queue_paused":
      return (
        <Link to="/work-pools/$poolName" params={{ poolName: reason.details.work_pool_name }}>
          Look at the work pool
        </Link>
      );
    case "limit_full":
      return (
        <ul className="lines">
          {reason.details.holders.map((id) => (
            <li key={id}>
              <Link to="/runs/$runId" params={{ runId: id }} className="mono">
                {id}
              </Link>
            </li>
          ))}
        </ul>
      );
    case "returned":
      return <p className="quiet">{reason.details.reasons.join("; ")}</p>;
    default:
      return null;
  }
}
