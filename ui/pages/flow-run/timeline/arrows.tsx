import { useEffect, useMemo, useRef, useState } from "react";
import type { LiveRun } from "../../../api/run-stream.ts";
import { sourcesOf } from "../task-sources.ts";
import type { TimelineRow } from "./rows.ts";

/** More lines than this at once say nothing to anybody. */
const MOST_ARROWS = 300;
const BEND_PX = 18;

export interface ArrowsProps {
  readonly tasks: LiveRun["tasks"];
  readonly rows: readonly TimelineRow[];
  readonly rowPx: number;
  /** Numbers of the first and the last row in sight. */
  readonly first: number;
  readonly last: number;
  /** What of the time is in sight. */
  readonly span: readonly [fromMs: number, untilMs: number];
  readonly nowMs: number;
  /** The task run whose arrows stand out. */
  readonly chosen: string | undefined;
}

/** From the end of each task run to the start of those that took its result, as far as one of both is in sight. */
export function Arrows({ tasks, rows, rowPx, first, last, span: [from, until], nowMs, chosen }: ArrowsProps) {
  const svg = useRef<SVGSVGElement>(null);
  const width = useWidth(svg);
  const at = useMemo(() => new Map(rows.map(({ key }, index) => [key, index])), [rows]);
  const edges = useMemo(() => edgesOf(tasks, at), [tasks, at]);
  const inSight = edges.filter(({ a, b }) => Math.max(a, b) >= first && Math.min(a, b) <= last);
  const x = (ms: number): number => Math.min(width, Math.max(0, ((ms - from) / (until - from)) * width));
  return (
    <svg ref={svg} className="timeline-arrows" height={rows.length * rowPx} aria-hidden="true">
      {inSight.slice(0, MOST_ARROWS).map(({ a, b }) => {
        const [source, target] = [rows[a], rows[b]];
        const run = target?.spans.find(({ kind }) => kind === "run");
        if (!source || !target || !run) return null;
        const x1 = x(source.spans.at(-1)?.untilMs ?? nowMs);
        const x2 = x(run.fromMs);
        const [y1, y2] = [(a + 0.5) * rowPx, (b + 0.5) * rowPx];
        const isChosen = chosen !== undefined && (source.key === chosen || target.key === chosen);
        return (
          <path
            key={`${source.key}${target.key}`}
            data-chosen={isChosen || undefined}
            d={`M${x1} ${y1}C${x1 + BEND_PX} ${y1} ${x2 - BEND_PX} ${y2} ${x2} ${y2}m-4 -3l4 3l-4 3`}
          />
        );
      })}
    </svg>
  );
}

interface Edge {
  /** Numbers of the rows of a task run and of one that took its result. */
  readonly a: number;
  readonly b: number;
}

function edgesOf(tasks: LiveRun["tasks"], at: ReadonlyMap<string, number>): readonly Edge[] {
  return [...tasks.values()].flatMap((task) => {
    const b = at.get(task.id);
    if (b === undefined) return [];
    return sourcesOf(task).flatMap((source) => {
      const a = at.get(source);
      return a === undefined ? [] : [{ a, b }];
    });
  });
}

function useWidth(element: React.RefObject<SVGSVGElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const svg = element.current;
    if (!svg) return;
    const observer = new ResizeObserver(() => setWidth(svg.clientWidth));
    observer.observe(svg);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
