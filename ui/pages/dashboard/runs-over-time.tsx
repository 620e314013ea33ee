import { useRef, useState } from "react";
import type { RunHistoryInterval } from "#protocol/run-history";
import { Bar, countOf } from "./bar.tsx";
import { Legend } from "./legend.tsx";
import { tickText } from "./tick-text.ts";

export interface RunsOverTimeProps {
  readonly history: readonly RunHistoryInterval[];
  /** A span was drawn with the pointer. */
  readonly onZoom: (since: string, until: string) => void;
}

const TICKS = 6;

/** Bars of runs by state. Drawing over them zooms in. */
export function RunsOverTime({ history, onZoom }: RunsOverTimeProps) {
  const most = Math.max(1, ...history.map(countOf));
  const brush = useBrush(history, onZoom);
  const step = Math.max(1, Math.floor(history.length / TICKS));
  const runs = history.reduce((total, interval) => total + countOf(interval), 0);
  return (
    <figure className="panel">
      <figcaption className="row spread">
        <h2>Runs over time</h2>
        <Legend history={history} />
      </figcaption>
      <div
        className="bars"
        title="Draw over the bars to zoom in"
        role="img"
        aria-label={`${runs} runs in ${history.length} spans of time`}
        {...brush.handlers}
      >
        {history.map((interval, index) => (
          <Bar key={interval.interval_start} interval={interval} most={most} isChosen={brush.has(index)} />
        ))}
      </div>
      <div className="ticks quiet small" aria-hidden="true">
        {history.map(({ interval_start }, index) =>
          index % step === 0 && index < history.length - step / 2 ? (
            <span key={interval_start} style={{ left: `${(index / history.length) * 100}%` }}>
              {tickText(interval_start, history)}
            </span>
          ) : null,
        )}
      </div>
    </figure>
  );
}

function useBrush(history: readonly RunHistoryInterval[], onZoom: RunsOverTimeProps["onZoom"]) {
  const [span, setSpan] = useState<readonly [from: number, to: number] | null>(null);
  const box = useRef<DOMRect | null>(null);
  const indexAt = (x: number): number => {
    const { left, width } = box.current ?? { left: 0, width: 1 };
    return Math.min(history.length - 1, Math.max(0, Math.floor(((x - left) / width) * history.length)));
  };
  const ordered = span ? ([Math.min(...span), Math.max(...span)] as const) : null;
  return {
    has: (index: number) => ordered !== null && index >= ordered[0] && index <= ordered[1],
    handlers: {
      onPointerDown: (event: React.PointerEvent<HTMLElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        box.current = event.currentTarget.getBoundingClientRect();
        const at = indexAt(event.clientX);
        setSpan([at, at]);
      },
      onPointerMove: (event: React.PointerEvent<HTMLElement>) => {
        if (span) setSpan([span[0], indexAt(event.clientX)]);
      },
      onPointerUp: () => {
        const since = ordered && history[ordered[0]]?.interval_start;
        const until = ordered && history[ordered[1]]?.interval_end;
        setSpan(null);
        if (since && until) onZoom(since, until);
      },
      onPointerCancel: () => setSpan(null),
    },
  };
}
