import { useEffect, useRef, useState } from "react";
import type { TimelineRow } from "./rows.ts";

const HEIGHT = 36;

export interface OverviewProps {
  readonly rows: readonly TimelineRow[];
  readonly whole: readonly [fromMs: number, untilMs: number];
  readonly zoom: readonly [fromMs: number, untilMs: number] | null;
  readonly nowMs: number;
  readonly onZoom: (span: readonly [number, number] | null) => void;
}

/** All rows at once, small, on a canvas: drawing over it chooses what is shown below. */
export function Overview({ rows, whole, zoom, nowMs, onZoom }: OverviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState<readonly [number, number] | null>(null);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, rows, whole, nowMs);
  }, [rows, whole, nowMs]);
  const timeAt = (event: React.PointerEvent<HTMLElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - left) / width));
    return whole[0] + part * (whole[1] - whole[0]);
  };
  const marked = drawn ?? zoom;
  const percent = (at: number): number => ((at - whole[0]) / (whole[1] - whole[0])) * 100;
  return (
    <div
      className="timeline-overview"
      title="Draw over a part to zoom in"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrawn([timeAt(event), timeAt(event)]);
      }}
      onPointerMove={(event) => drawn && setDrawn([drawn[0], timeAt(event)])}
      onPointerUp={() => {
        if (drawn) onZoom(drawn[0] === drawn[1] ? null : [Math.min(...drawn), Math.max(...drawn)]);
        setDrawn(null);
      }}
    >
      <canvas ref={canvas} height={HEIGHT} />
      {marked && (
        <div
          className="timeline-brush"
          style={{
            left: `${percent(Math.min(...marked))}%`,
            width: `${percent(Math.max(...marked)) - percent(Math.min(...marked))}%`,
          }}
        />
      )}
    </div>
  );
}

function paint(
  canvas: HTMLCanvasElement,
  rows: readonly TimelineRow[],
  [from, until]: OverviewProps["whole"],
  nowMs: number,
): void {
  const width = canvas.clientWidth;
  canvas.width = width;
  const context = canvas.getContext("2d");
  if (!context || rows.length === 0) return;
  const colour = new Map<string, string>();
  const rowHeight = HEIGHT / rows.length;
  for (const [index, { spans }] of rows.entries()) {
    for (const { kind, state, fromMs, untilMs } of spans) {
      if (kind === "wait") continue;
      let fill = colour.get(state);
      if (fill === undefined) {
        fill = colourOf(canvas, state);
        colour.set(state, fill);
      }
      context.fillStyle = fill;
      const x = ((fromMs - from) / (until - from)) * width;
      const end = (((untilMs ?? nowMs) - from) / (until - from)) * width;
      context.fillRect(x, index * rowHeight, Math.max(1, end - x), Math.max(1, Math.min(6, rowHeight - 0.5)));
    }
  }
}

/** A canvas knows no variables of CSS; what one stands for here, light or dark, is read from an element. */
function colourOf(canvas: HTMLCanvasElement, state: string): string {
  canvas.dataset["state"] = state;
  const { color } = getComputedStyle(canvas);
  delete canvas.dataset["state"];
  return color;
}
