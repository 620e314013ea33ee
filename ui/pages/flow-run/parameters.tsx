import type { FlowRun } from "#protocol/flow-runs";
import { ResultView } from "../../components/result-view.tsx";
import { JsonView } from "../../elements/json-view.tsx";
import { exactText } from "../../elements/spans.ts";

/** What the run was given, what came out of it, and where it came from. */
export function Parameters({ run }: { readonly run: FlowRun }) {
  return (
    <div className="stack">
      <JsonView title="Parameters" value={run.parameters} none="It was given no parameters." />
      <ResultView state={run.state} />
      {run.job_variables && <JsonView title="Job variables" value={run.job_variables} none="None." />}
      <section>
        <h3>More</h3>
        <dl className="details">
          <dt>Id</dt>
          <dd className="mono">{run.id}</dd>
          <dt>Created</dt>
          <dd>
            {exactText(Date.parse(run.created))}
            {run.created_by?.display_value && ` by ${run.created_by.display_value}`}
          </dd>
          <dt>Version of the flow</dt>
          <dd>{run.flow_version ?? "–"}</dd>
          <dt>Work queue</dt>
          <dd>{run.work_queue_name ?? "–"}</dd>
          <dt>Idempotency key</dt>
          <dd>{run.idempotency_key ?? "–"}</dd>
          <dt>Process</dt>
          <dd>{run.infrastructure_pid ?? "–"}</dd>
        </dl>
      </section>
    </div>
  );
}
