import { Button } from "../../../elements/button.tsx";
import { durationText } from "../../../elements/spans.ts";
import { StateGlyph } from "../../../elements/state-glyph.tsx";
import type { Span, TimelineRow } from "./rows.ts";

export interface RowProps {
  readonly row: TimelineRow;
  /** Pixels from the top of the list. */
  readonly top: number;
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
  readonly nowMs: number;
  readonly isChosen: boolean;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onChoose: () => void;
}

export function Row({ row, top, span, nowMs, isChosen, isOpen, onToggle, onChoose }: RowProps) {
  return (
    <li className="timeline-row" data-chosen={isChosen || undefined} style={{ transform: `translateY(${top}px)` }}>
      <div className="timeline-name" style={{ paddingLeft: `${row.depth * 1.25}rem` }}>
        {row.opens ? (
          <Button
            size="small"
            kind="plain"
            aria-expanded={isOpen}
            aria-label={`${isOpen ? "Close" : "Open"} ${row.name}`}
            onClick={onToggle}
          >
            {isOpen ? "▾" : "▸"}
          </Button>
        ) : (
          <span className="timeline-indent" />
        )}
        {row.task ? (
          <button type="button" className="link cut state" onClick={onChoose} title={row.name} data-row-link>
            <StateGlyph state={row.task.state_type ?? "PENDING"} size={12} />
            <span className="cut">{row.name}</span>
          </button>
        ) : (
          <span className="quiet">{row.name}</span>
        )}
      </div>
      <div className="timeline-track">
        {row.spans.map((one) => (
          <Bar key={`${one.kind}${one.fromMs}`} one={one} span={span} nowMs={nowMs} />
        ))}
      </div>
    </li>
  );
}

function Bar({
  one,
  span: [from, until],
  nowMs,
}: {
  readonly one: Span;
  readonly span: RowProps["span"];
  readonly nowMs: number;
}) {
  const end = one.untilMs ?? nowMs;
  const percent = (at: number): number => Math.min(100, Math.max(0, ((at - from) / (until - from)) * 100));
  if (end < from || one.fromMs > until) return null;
  const text = durationText((end - one.fromMs) / 1_000);
  return (
    <div
      className="timeline-bar"
      data-kind={one.kind}
      data-state={one.state}
      title={one.kind === "wait" ? `waited ${text}` : `${one.state.toLowerCase()}, ${text}`}
      style={{ left: `${percent(one.fromMs)}%`, width: `${percent(end) - percent(one.fromMs)}%` }}
    />
  );
}
