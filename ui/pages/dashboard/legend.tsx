import type { RunHistoryInterval } from "#protocol/run-history";
import { StateGlyph } from "../../elements/state-glyph.tsx";
import { BAR_ORDER, byState } from "./bar.tsx";

/** What the colours of the bars mean, for the states that occur, with how many runs are in them. */
export function Legend({ history }: { readonly history: readonly RunHistoryInterval[] }) {
  const totals = byState({ states: history.flatMap(({ states }) => states) });
  return (
    <ul className="legend small">
      {BAR_ORDER.filter((state) => totals.has(state)).map((state) => (
        <li key={state} className="state">
          <StateGlyph state={state} size={12} />
          {totals.get(state)} {state.toLowerCase()}
        </li>
      ))}
    </ul>
  );
}
