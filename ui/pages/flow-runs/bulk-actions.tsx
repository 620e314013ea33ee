import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { bulkDeleteFlowRuns, bulkSetFlowRunState } from "#protocol/flow-run-operations";
import { retryFlowRun } from "#protocol/flow-run-retry";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { type RunAction, whyNot } from "#protocol/run-actions";
import { api } from "../../api/client.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { ConfirmButton } from "../../components/confirm-button.tsx";

const WORDS = { cancel: "Cancel", retry: "Retry", delete: "Delete" } as const;
type BulkAction = keyof typeof WORDS & RunAction;
const ACTIONS = Object.keys(WORDS) as BulkAction[];

export interface BulkActionsProps {
  readonly runs: readonly FlowRun[];
  readonly onDone: () => void;
}

/** What may be done with all selected runs that are in a state for it. */
export function BulkActions({ runs, onDone }: BulkActionsProps) {
  const roleRefusal = useRoleRefusal("operator");
  const [outcome, setOutcome] = useState<string | null>(null);
  const act = useMutation({
    mutationFn: ({ action, on }: { readonly action: BulkAction; readonly on: readonly FlowRun[] }) =>
      perform(action, on),
    onSuccess: (done, { action, on }) => {
      setOutcome(done === on.length ? null : `${WORDS[action]}: ${done} of ${on.length} were accepted.`);
      if (done === on.length) onDone();
    },
  });
  return (
    <div className="row panel" role="toolbar" aria-label="Selected runs">
      <strong>{runs.length} selected</strong>
      {ACTIONS.map((action) => {
        const on = runs.filter((run) => whyNot(action, run) === null);
        const refusal = on.length === 0 ? `None of them: ${whyNot(action, runs[0] as FlowRun)}` : null;
        return (
          <ConfirmButton
            key={action}
            text={`${WORDS[action]} ${on.length || ""}`}
            question={`${WORDS[action]} ${on.length} ${on.length === 1 ? "run" : "runs"}?`}
            kind={action === "retry" ? undefined : "danger"}
            refusal={roleRefusal ?? refusal}
            busy={act.isPending && act.variables.action === action}
            onConfirm={() => act.mutate({ action, on })}
          />
        );
      })}
      {runs.length === 2 && (
        <Link className="button" to="/compare" search={{ a: runs[1]?.id as FlowRunId, b: runs[0]?.id as FlowRunId }}>
          Compare
        </Link>
      )}
      <span role="status">{act.error ? act.error.message : outcome}</span>
    </div>
  );
}

/** Answers how many were accepted. */
async function perform(action: BulkAction, runs: readonly FlowRun[]): Promise<number> {
  let done = 0;
  for (let from = 0; from < runs.length; from += LIMITS.bulkRows) {
    const some = runs.slice(from, from + LIMITS.bulkRows).map(({ id }) => id);
    const flow_runs = { id: { any_: some } };
    if (action === "delete") done += (await api.call(bulkDeleteFlowRuns, { body: { flow_runs } })).deleted.length;
    else if (action === "retry") {
      const answers = await Promise.allSettled(some.map((id) => api.call(retryFlowRun, { params: { id }, body: {} })));
      done += answers.filter(({ status }) => status === "fulfilled").length;
    } else {
      const state = { type: "CANCELLING", message: "Cancelled in the UI." } as const;
      const { results } = await api.call(bulkSetFlowRunState, { body: { flow_runs, state } });
      done += results.filter(({ status }) => status === "ACCEPT").length;
    }
  }
  return done;
}
