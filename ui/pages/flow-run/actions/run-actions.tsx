import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Deployment } from "#protocol/deployments";
import { retryFlowRun } from "#protocol/flow-run-retry";
import { deleteFlowRun, type FlowRun, setFlowRunState } from "#protocol/flow-runs";
import { whyNot } from "#protocol/run-actions";
import { api } from "../../../api/client.ts";
import { useRoleRefusal } from "../../../api/session.ts";
import { ConfirmButton } from "../../../components/confirm-button.tsx";
import { useOpened } from "../../../components/opened.ts";
import { RunForm } from "../../../components/run-form.tsx";
import { Button } from "../../../elements/button.tsx";
import { ErrorNote } from "../../../elements/error-note.tsx";
import { CopyMenu } from "./copy-menu.tsx";
import { ResumeForm } from "./resume-form.tsx";
import { stateProposal } from "./state-proposal.ts";

export interface RunActionsProps {
  readonly run: FlowRun;
  /** Undefined while it is read; null where there is none any more. */
  readonly deployment: Deployment | null | undefined;
}

/** What may be done with the run; what may not is off, and says why. */
export function RunActions({ run, deployment }: RunActionsProps) {
  const navigate = useNavigate();
  const roleRefusal = useRoleRefusal("operator");
  const [dialog, setDialog] = useOpened();
  const retry = useMutation({ mutationFn: () => api.call(retryFlowRun, { params: { id: run.id }, body: {} }) });
  const cancel = useMutation({ mutationFn: () => proposeState(run, "cancel") });
  const suspend = useMutation({ mutationFn: () => proposeState(run, "suspend") });
  const remove = useMutation({
    mutationFn: () => api.call(deleteFlowRun, { params: { id: run.id } }),
    onSuccess: () => navigate({ to: "/runs" }),
  });
  const error = retry.error ?? cancel.error ?? suspend.error ?? remove.error;
  const refusal = (action: Parameters<typeof whyNot>[0]): string | null => roleRefusal ?? whyNot(action, run);
  const isBroken = run.state_type === "FAILED" || run.state_type === "CRASHED";
  return (
    <div className="run-actions">
      <div className="row" role="toolbar" aria-label="Actions">
        <Button
          {...(isBroken && { kind: "primary" as const })}
          refusal={refusal("retry")}
          busy={retry.isPending}
          onClick={() => retry.mutate()}
        >
          Retry
        </Button>
        <Button
          refusal={refusal("run-again") ?? (deployment === null ? "Its deployment was deleted." : null)}
          onClick={() => setDialog("again")}
        >
          Run again …
        </Button>
        {run.state_type === "PAUSED" ? (
          <Button kind="primary" refusal={refusal("resume")} onClick={() => setDialog("resume")}>
            Resume …
          </Button>
        ) : (
          <Button refusal={refusal("suspend")} busy={suspend.isPending} onClick={() => suspend.mutate()}>
            Suspend
          </Button>
        )}
        <Button kind="danger" refusal={refusal("cancel")} busy={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </Button>
        <ConfirmButton
          text="Delete"
          question={`Delete the run ${run.name}?`}
          consequence="Its task runs, states, logs and artifacts are deleted, too."
          kind="danger"
          refusal={refusal("delete")}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
        />
        <CopyMenu run={run} deployment={deployment} />
      </div>
      {error && <ErrorNote error={error} />}
      {dialog === "again" && deployment && (
        <RunForm deployment={deployment} parameters={run.parameters} onClose={() => setDialog(null)} />
      )}
      {dialog === "resume" && run.state_type === "PAUSED" && <ResumeForm run={run} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** Throws with the reason when the control plane refuses. */
async function proposeState(run: FlowRun, action: "cancel" | "suspend"): Promise<void> {
  const { status, details } = await api.call(setFlowRunState, {
    params: { id: run.id },
    body: { state: stateProposal(action) },
  });
  if (status !== "ACCEPT" && "reason" in details) throw new Error(details.reason ?? "The control plane refused.");
}
