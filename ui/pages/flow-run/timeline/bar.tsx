import { durationText } from "../../../elements/spans.ts";
import type { Span } from "./rows.ts";

export interface BarProps {
  readonly one: Span;
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
  readonly nowMs: number;
  /** What it is called when it is pointed at; by default what its state says. */
  readonly title?: string;
}

/** A stretch of time on a row, as far as it is in sight. */
export function Bar({ one, span: [from, until], nowMs, title }: BarProps) {
  const end = one.untilMs ?? nowMs;
  const percent = (at: number): number => Math.min(100, Math.max(0, ((at - from) / (until - from)) * 100));
  if (end < from || one.fromMs > until) return null;
  const text = durationText((end - one.fromMs) / 1_000);
  return (
    <div
      className="timeline-bar"
      data-kind={one.kind}
      data-state={one.state}
      title={`${title ?? (one.kind === "wait" ? "waited" : one.state.toLowerCase())}, ${text}`}
      style={{ left: `${percent(one.fromMs)}%`, width: `${percent(end) - percent(one.fromMs)}%` }}
    />
  );
}
