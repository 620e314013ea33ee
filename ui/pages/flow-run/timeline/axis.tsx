import { durationText } from "../../../elements/spans.ts";

const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Time since the run began. */
export function Axis({
  span: [from, until],
  originMs,
}: {
  readonly span: readonly [number, number];
  readonly originMs: number;
}) {
  return (
    <div className="timeline-axis quiet small" aria-hidden="true">
      {TICKS.map((part) => (
        <span key={part} style={{ left: `${part * 100}%`, transform: `translateX(${part * -100}%)` }}>
          {durationText((from + part * (until - from) - originMs) / 1_000)}
        </span>
      ))}
    </div>
  );
}
