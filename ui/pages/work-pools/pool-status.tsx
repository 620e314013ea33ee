import type { WorkPool } from "#protocol/work-pools";
import { type ShownState, StateGlyph } from "../../elements/state-glyph.tsx";

const SHOWN: Readonly<Record<NonNullable<WorkPool["status"]>, readonly [ShownState, string]>> = {
  READY: ["COMPLETED", "Ready"],
  NOT_READY: ["LATE", "No worker"],
  PAUSED: ["PAUSED", "Paused"],
};

/** Whether runs of a pool or a queue are taken. */
export function PoolStatus({ status }: { readonly status: WorkPool["status"] }) {
  const [state, text] = SHOWN[status ?? "NOT_READY"];
  return (
    <span className="state">
      <StateGlyph state={state} /> {text}
    </span>
  );
}
