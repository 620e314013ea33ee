import type { Deployment } from "#protocol/deployments";
import { exactText } from "../../elements/spans.ts";
import { PullSteps } from "./pull-steps.tsx";

/** Where its code is, and who runs it. */
export function Source({ deployment }: { readonly deployment: Deployment }) {
  const { entrypoint, path, pull_steps, work_pool_name, work_queue_name, version, tags, updated } = deployment;
  return (
    <section className="panel">
      <h2>Source</h2>
      <dl className="details">
        <dt>Entrypoint</dt>
        <dd className="mono">{entrypoint ?? "–"}</dd>
        <dt>Path</dt>
        <dd className="mono">{path ?? "–"}</dd>
        {pull_steps && pull_steps.length > 0 && <PullSteps steps={pull_steps} />}
        <dt>Work pool</dt>
        <dd>
          {work_pool_name ?? "–"}
          {work_queue_name && work_queue_name !== "default" && ` / ${work_queue_name}`}
        </dd>
        <dt>Version</dt>
        <dd>{version ?? "–"}</dd>
        <dt>Tags</dt>
        <dd>{tags.join(", ") || "–"}</dd>
        <dt>Changed</dt>
        <dd>{exactText(Date.parse(updated))}</dd>
      </dl>
    </section>
  );
}
