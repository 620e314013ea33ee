/** Verdicts that may differ from those of Prefect's own server, and why. A line that no difference needs fails the test. */
export interface AcceptedVerdict {
  readonly kind: "decided" | "to mend";
  readonly reason: string;
  /** Matched against `a flow run: RUNNING → PENDING: theirs 201 ACCEPT PENDING/Pending, ours 200 ABORT`. */
  readonly line: RegExp;
}

const ENDED = "(COMPLETED|FAILED|CRASHED|CANCELLED)";

export const ACCEPTED_VERDICTS: readonly AcceptedVerdict[] = [
  { kind: "to mend", reason: "Under way: set_state of task runs", line: /^a task run.*, ours 404$/ },
  {
    kind: "to mend",
    reason: "A flow run is Pending from the start unless a state is given",
    line: /^(a flow run|a subflow).*: no state → (PENDING|PAUSED)/,
  },
  {
    kind: "to mend",
    reason: "A suspended run without a deployment is not ended",
    line: /^(a flow run|a subflow).*: PAUSED to be rescheduled → .* theirs 200 REJECT PAUSED\/Suspended/,
  },
  {
    kind: "decided",
    reason: "docs/decisions/0006-terminal-states.md",
    line: new RegExp(`^a run of a deployment in a pool: ${ENDED} → (PENDING|RUNNING): theirs .* ours 200 ABORT`),
  },
];
