import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { pauseDeployment, resumeDeployment } from "#protocol/deployment-operations";
import { type Deployment, deleteDeployment, readDeployment } from "#protocol/deployments";
import { readFlow } from "#protocol/flows";
import type { DeploymentId } from "#protocol/ids";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { MarkdownText } from "../../components/artifact/markdown-text.tsx";
import { ConfirmButton } from "../../components/confirm-button.tsx";
import { useOpened } from "../../components/opened.ts";
import { RunForm } from "../../components/run-form.tsx";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { JsonView } from "../../elements/json-view.tsx";
import { useTitle } from "../../elements/title.ts";
import { Backfills } from "./backfills.tsx";
import { Concurrency } from "./concurrency.tsx";
import { LastRuns } from "./last-runs.tsx";
import { NextRuns } from "./next-runs.tsx";
import { Schedules } from "./schedules.tsx";
import { Source } from "./source.tsx";
import { Versions } from "./versions.tsx";

/** The value of `open` that stands for the form that starts a run. */
const RUN = "run";

export function DeploymentPage() {
  const id = useParams({ from: "/app/deployments/$deploymentId" }).deploymentId as DeploymentId;
  const [open, setOpen] = useOpened();
  const { data: deployment } = useSuspenseQuery({
    ...read(readDeployment, { params: { id } }),
    refetchInterval: LIVE_MS * 2,
  });
  const { data: flow } = useQuery(read(readFlow, { params: { id: deployment.flow_id } }));
  useTitle(deployment.name);
  return (
    <main className="page stack">
      <header className="row spread">
        <div>
          <p className="crumb quiet">
            <Link to="/deployments">Deployments</Link> /{" "}
            <Link to="/runs" search={{ flowId: deployment.flow_id }}>
              {flow?.name ?? "flow"}
            </Link>
          </p>
          <h1>{deployment.name}</h1>
        </div>
        <Actions deployment={deployment} onRun={() => setOpen(RUN)} />
      </header>
      {deployment.description && <MarkdownText text={deployment.description} />}
      {deployment.work_pool_name === null && (
        <p className="notice">It has no work pool, so its runs wait until a program serves it or it is given a pool.</p>
      )}
      <div className="columns">
        <div className="stack">
          <Schedules deployment={deployment} />
          <NextRuns deployment={deployment} />
          <Concurrency deployment={deployment} />
        </div>
        <div className="stack">
          <Source deployment={deployment} />
          <Versions deployment={deployment} />
          <Backfills deployment={deployment} />
        </div>
      </div>
      <LastRuns deploymentId={id} />
      <section className="panel">
        <JsonView
          title="Default parameters"
          value={deployment.parameters}
          none="None: what the flow itself has holds."
        />
      </section>
      {open === RUN && (
        <RunForm deployment={deployment} parameters={deployment.parameters} onClose={() => setOpen(null)} />
      )}
    </main>
  );
}

function Actions({ deployment, onRun }: { readonly deployment: Deployment; readonly onRun: () => void }) {
  const navigate = useNavigate();
  const params = { id: deployment.id };
  const roleRefusal = useRoleRefusal("operator");
  const pause = useMutation({
    mutationFn: () => api.call(deployment.paused ? resumeDeployment : pauseDeployment, { params }),
  });
  const remove = useMutation({
    mutationFn: () => api.call(deleteDeployment, { params }),
    onSuccess: () => navigate({ to: "/deployments" }),
  });
  const error = pause.error ?? remove.error;
  return (
    <div>
      <div className="row" role="toolbar" aria-label="Actions">
        <Button kind="primary" refusal={roleRefusal} onClick={onRun}>
          Run …
        </Button>
        <Button refusal={roleRefusal} busy={pause.isPending} onClick={() => pause.mutate()}>
          {deployment.paused ? "Resume schedules" : "Pause schedules"}
        </Button>
        <ConfirmButton
          text="Delete"
          question={`Delete the deployment ${deployment.name}?`}
          consequence="Its schedules are deleted, too. Its runs stay."
          kind="danger"
          refusal={roleRefusal}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
        />
      </div>
      {error && <ErrorNote error={error} />}
    </div>
  );
}
