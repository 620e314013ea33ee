import type { RunHistoryInterval } from "#protocol/run-history";
import { exactText } from "../../elements/spans.ts";
import { type ShownState, shownState } from "../../elements/state-glyph.tsx";

/** From the ground up. What failed stands on the ground, where heights are compared. */
export const BAR_ORDER: readonly ShownState[] = [
  "FAILED",
  "CRASHED",
  "COMPLETED",
  "CANCELLED",
  "CANCELLING",
  "RUNNING",
  "PAUSED",
  "PENDING",
  "LATE",
  "SCHEDULED",
];

export interface BarProps {
  readonly interval: RunHistoryInterval;
  /** Runs of the highest bar. */
  readonly most: number;
  readonly isChosen: boolean;
}

/** The runs of one span of time. */
export function Bar({ interval, most, isChosen }: BarProps) {
  const counts = byState(interval);
  const text = BAR_ORDER.flatMap((state) => (counts.has(state) ? [`${counts.get(state)} ${state.toLowerCase()}`] : []));
  return (
    <div
      className="bar"
      data-chosen={isChosen || undefined}
      title={`${exactText(Date.parse(interval.interval_start))}\n${text.join(", ") || "no runs"}`}
    >
      {BAR_ORDER.map((state) => {
        const count = counts.get(state);
        return count && <div key={state} data-state={state} style={{ height: `${(count / most) * 100}%` }} />;
      })}
    </div>
  );
}

export function countOf({ states }: RunHistoryInterval): number {
  return states.reduce((total, { count_runs }) => total + count_runs, 0);
}

/** Runs by the state that is shown. */
export function byState({ states }: Pick<RunHistoryInterval, "states">): ReadonlyMap<ShownState, number> {
  const counts = new Map<ShownState, number>();
  for (const { state_type, state_name, count_runs } of states) {
    const state = shownState(state_type, state_name);
    counts.set(state, (counts.get(state) ?? 0) + count_runs);
  }
  return counts;
}
