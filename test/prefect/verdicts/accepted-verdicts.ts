/** Verdicts that may differ from those of Prefect's own server, and why. A line that no difference needs fails the test. */
export interface AcceptedVerdict {
  readonly kind: "decided" | "to mend";
  readonly reason: string;
  /** Matched against `a flow run: RUNNING → PENDING: theirs 201 ACCEPT PENDING/Pending, ours 200 ABORT`. */
  readonly line: RegExp;
}

const ENDED = "(COMPLETED|FAILED|CRASHED|CANCELLED)";

export const ACCEPTED_VERDICTS: readonly AcceptedVerdict[] = [
  {
    kind: "decided",
    reason: "A finished task is not changed by latecomers; one end may not replace another",
    line: new RegExp(`^a task run.*: ${ENDED} → (COMPLETED|FAILED|CANCELLED): theirs 201 ACCEPT .* ours 200 REJECT`),
  },
  {
    kind: "decided",
    reason: "docs/decisions/0006-terminal-states.md",
    line: new RegExp(`^a run of a deployment in a pool: ${ENDED} → (PENDING|RUNNING): theirs .* ours 200 ABORT`),
  },
];
