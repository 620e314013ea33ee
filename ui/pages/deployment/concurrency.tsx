import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Deployment } from "#protocol/deployments";
import { readFlowControl, readFlowControlRuns } from "#protocol/flow-control";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Lasting } from "../../elements/lasting.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { durationText } from "../../elements/spans.ts";
import { ConcurrencyForm } from "./concurrency-form.tsx";
import { COLLISIONS, LOSSES, STRATEGIES } from "./concurrency-words.ts";

/** The value of `open` that stands for the form. */
const EDIT = "concurrency";

/** How many of its runs there may be at once, and what becomes of more. */
export function Concurrency({ deployment }: { readonly deployment: Deployment }) {
  const params = { id: deployment.id };
  const { data, error } = useQuery(read(readFlowControl, { params }));
  const { data: runs } = useQuery({
    ...read(readFlowControlRuns, { params }),
    enabled: data?.concurrency != null,
    refetchInterval: LIVE_MS * 2,
  });
  const [open, setOpen] = useOpened();
  const refusal = useRoleRefusal("operator");
  const { global_concurrency_limit: limit, concurrency_options: options } = deployment;
  return (
    <section className="panel">
      <div className="row spread">
        <h2>Concurrency</h2>
        <Button size="small" refusal={refusal ?? (data ? null : "It is not read yet.")} onClick={() => setOpen(EDIT)}>
          Change
        </Button>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="6rem" />}
      {data && (
        <dl className="details">
          <dt>Runs at once</dt>
          <dd>
            {limit ? (
              <>
                {limit.active_slots} of {limit.limit}
                <span className="quiet">, one more {COLLISIONS[options?.collision_strategy ?? "ENQUEUE"]}</span>
              </>
            ) : (
              "any number"
            )}
          </dd>
          <dt>Of each key</dt>
          <dd>
            {data.concurrency ? (
              <>
                {data.concurrency.limit} by <code>{data.concurrency.key ?? "one key for all"}</code>
                <span className="quiet">, one more {STRATEGIES[data.concurrency.strategy]}</span>
              </>
            ) : (
              "any number"
            )}
          </dd>
          <dt>Debounce</dt>
          <dd>
            {data.debounce
              ? `${durationText(data.debounce.seconds)}${data.debounce.key ? ` by ${data.debounce.key}` : ""}`
              : "–"}
          </dd>
          <dt>Throttle</dt>
          <dd>
            {data.throttle
              ? `${data.throttle.limit} in ${durationText(data.throttle.seconds)}${data.throttle.key ? ` by ${data.throttle.key}` : ""}`
              : "–"}
          </dd>
          <dt>Given up after</dt>
          <dd>{data.time_to_live_seconds === null ? "never" : durationText(data.time_to_live_seconds)}</dd>
          <dt>When it is lost</dt>
          <dd>{LOSSES[data.on_lost ?? "crash"]}</dd>
        </dl>
      )}
      {runs && runs.holders.length + runs.waiters.length > 0 && (
        <ul className="lines" aria-label="Runs by key">
          {[...runs.holders, ...runs.waiters].map((run) => (
            <li key={run.flow_run_id}>
              <Link to="/runs/$runId" params={{ runId: run.flow_run_id }} className="cut">
                {run.key || "one key for all"}
              </Link>
              <span className="quiet">
                {"position" in run ? `waits, number ${Number(run.position) + 1}` : "runs"} <Lasting from={run.since} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {open === EDIT && data && (
        <ConcurrencyForm deployment={deployment} control={data} onClose={() => setOpen(null)} />
      )}
    </section>
  );
}
