import { defaultStateName, type StateType } from "#protocol/states";
import { StateGlyph, shownState } from "./state-glyph.tsx";

/** A state: its glyph and its name. */
export function StateBadge({ type, name }: { readonly type: StateType | null; readonly name: string | null }) {
  return (
    <span className="state">
      <StateGlyph state={shownState(type, name)} />
      <span>{name ?? (type ? defaultStateName(type) : "No state")}</span>
    </span>
  );
}
