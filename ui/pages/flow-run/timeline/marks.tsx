import { Link } from "@tanstack/react-router";
import type { Mark } from "./use-marks.ts";

export interface MarksProps {
  readonly marks: readonly Mark[];
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
}

/** Artifacts at the time at which they were left; they lead to what they hold. */
export function Marks({ marks, span: [from, until] }: MarksProps) {
  return marks
    .filter(({ atMs }) => atMs >= from && atMs <= until)
    .map(({ id, atMs, text }) => (
      <Link
        key={id}
        to="."
        search={(before) => ({ ...before, tab: "artifacts" as const })}
        className="timeline-mark"
        title={text}
        aria-label={`Artifact: ${text}`}
        style={{ left: `${((atMs - from) / (until - from)) * 100}%` }}
      />
    ));
}
