import type { FlowRun } from "#protocol/flow-runs";

/** What a run that has not begun, or is paused, says about itself. */
export function Why({ run }: { readonly run: FlowRun }) {
  const waits = run.state_type === "SCHEDULED" || run.state_type === "PENDING" || run.state_type === "PAUSED";
  if (!waits || !run.state?.message) return null;
  return <p className="notice">{run.state.message}</p>;
}
