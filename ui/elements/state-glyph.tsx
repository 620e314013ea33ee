/** Each state has a shape of its own, so that it is told without colours. Drawn on a square of 16. */
import type { StateType } from "#protocol/states";

/** A late run is SCHEDULED on the wire; on screens it is told apart. */
export type ShownState = StateType | "LATE";

export function shownState(type: StateType | null, name: string | null): ShownState {
  return type === "SCHEDULED" && name === "Late" ? "LATE" : (type ?? "SCHEDULED");
}

const RING = "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5Z";

const SHAPES: Readonly<Record<ShownState, { readonly fill?: string; readonly line?: string; readonly mark?: string }>> =
  {
    COMPLETED: { fill: RING, mark: "M4.9 8.2 7.1 10.4 11.2 5.9" },
    RUNNING: { line: RING, fill: "M6.25 5 11.25 8 6.25 11Z" },
    PENDING: { line: RING, fill: "M5 7h1.6v2H5ZM7.2 7h1.6v2H7.2ZM9.4 7H11v2H9.4Z" },
    SCHEDULED: { line: `${RING}M8 4.5V8.2L10.4 9.6` },
    LATE: { line: `${RING}M8 4.2V8.6M8 10.6V11.6` },
    FAILED: { fill: "M1.75 1.75h12.5v12.5H1.75Z", mark: "M5 5 11 11M11 5 5 11" },
    CRASHED: { fill: "M8 1 15.4 14.5H.6Z", mark: "M8 5.6V9.8M8 11.6V12.6" },
    CANCELLED: { line: `${RING}M4 12 12 4` },
    CANCELLING: { line: "M8 1.75a6.25 6.25 0 0 1 0 12.5M4 12 12 4" },
    PAUSED: { line: RING, fill: "M5.6 5h1.6v6H5.6ZM8.8 5h1.6v6H8.8Z" },
  };

export function StateGlyph({ state, size = 14 }: { readonly state: ShownState; readonly size?: number }) {
  const { fill, line, mark } = SHAPES[state];
  return (
    <svg
      className="glyph"
      data-state={state}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      aria-hidden="true"
    >
      {fill && <path d={fill} fill="currentColor" />}
      {line && <path d={line} stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />}
      {mark && <path d={mark} stroke="var(--surface)" strokeWidth="1.7" strokeLinecap="round" />}
    </svg>
  );
}
