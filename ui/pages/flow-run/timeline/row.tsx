import { Link } from "@tanstack/react-router";
import { Button } from "../../../elements/button.tsx";
import { StateGlyph } from "../../../elements/state-glyph.tsx";
import { Bar } from "./bar.tsx";
import { Marks } from "./marks.tsx";
import type { TimelineRow } from "./rows.ts";
import type { Mark } from "./use-marks.ts";

export interface RowProps {
  readonly row: TimelineRow;
  /** Pixels from the top of the list. */
  readonly top: number;
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
  readonly nowMs: number;
  readonly marks: readonly Mark[];
  readonly isChosen: boolean;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onChoose: () => void;
}

export function Row({ row, top, span, nowMs, marks, isChosen, isOpen, onToggle, onChoose }: RowProps) {
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
        <Name row={row} onChoose={onChoose} />
      </div>
      <div className="timeline-track">
        {row.spans.map((one) => (
          <Bar key={`${one.kind}${one.fromMs}`} one={one} span={span} nowMs={nowMs} />
        ))}
        <Marks marks={marks} span={span} />
      </div>
    </li>
  );
}

function Name({ row, onChoose }: Pick<RowProps, "row" | "onChoose">) {
  if (row.taskId === null) return <span className="quiet">{row.name}</span>;
  const content = (
    <>
      <StateGlyph state={row.state} size={12} />
      <span className="cut">{row.name}</span>
    </>
  );
  if (row.inRun !== null) {
    return (
      <Link
        to="/runs/$runId"
        params={{ runId: row.inRun }}
        search={{ task: row.taskId }}
        className="link cut state"
        title={`${row.name}, in the subflow`}
        data-row-link
      >
        {content}
      </Link>
    );
  }
  return (
    <button type="button" className="link cut state" onClick={onChoose} title={row.name} data-row-link>
      {content}
    </button>
  );
}
