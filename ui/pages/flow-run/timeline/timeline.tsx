import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { TaskRunId } from "#protocol/ids";
import { isTerminal } from "#protocol/states";
import { useNow } from "../../../elements/now.ts";
import { Skeleton } from "../../../elements/skeleton.tsx";
import { noTasks } from "../no-tasks.ts";
import type { RunPartProps } from "../page.tsx";
import { Arrows } from "./arrows.tsx";
import { Axis } from "./axis.tsx";
import { Overview } from "./overview.tsx";
import { Row } from "./row.tsx";
import { RunStates } from "./run-states.tsx";
import { TimelineBar } from "./timeline-bar.tsx";
import { OF_THE_RUN, useMarks } from "./use-marks.ts";
import { useTimelineRows } from "./use-timeline-rows.ts";

const ROW_PX = 26;

/** Task runs over time: light where they waited, full where they ran, with arrows to those that took their results. */
export function Timeline({ run, live, search, onSearch }: RunPartProps) {
  const opened = useMemo(() => new Set<string>(search.rows), [search.rows]);
  const rows = useTimelineRows(live, opened, search.errors === true);
  const marks = useMarks(run);
  const hasEnded = isTerminal(run.state_type);
  const nowMs = useNow(!hasEnded);
  const whole = useMemo(() => extent(rows, run, nowMs), [rows, run, nowMs]);
  // What has no end in a run that has one was given up with it.
  const edgeMs = hasEnded ? whole[1] : nowMs;
  const { from, until } = search;
  const zoom = from !== undefined && until !== undefined && from < until ? ([from, until] as const) : null;
  const setZoom = (next: readonly [number, number] | null): void =>
    onSearch({ ...search, from: next ? Math.floor(next[0]) : undefined, until: next ? Math.ceil(next[1]) : undefined });
  const span = zoom ?? whole;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const toggle = (key: string): void => {
    const next = new Set(opened);
    if (!next.delete(key)) next.add(key);
    onSearch({ ...search, rows: next.size > 0 ? ([...next] as TaskRunId[]) : undefined });
  };
  if (live.run === null) return <Skeleton height="18rem" />;
  if (live.tasks.size === 0) {
    return <p className="empty">{noTasks(run)}</p>;
  }
  const items = virtual.getVirtualItems();
  return (
    <div className="timeline">
      <TimelineBar
        rows={rows.length}
        search={search}
        onSearch={onSearch}
        isZoomed={zoom !== null}
        onWhole={() => setZoom(null)}
      />
      <Overview rows={rows} whole={whole} zoom={zoom} nowMs={edgeMs} onZoom={setZoom} />
      <Axis span={span} originMs={whole[0]} />
      <RunStates run={run} marks={marks.get(OF_THE_RUN) ?? []} span={span} nowMs={edgeMs} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <div ref={scroller} className="timeline-rows" tabIndex={0}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          <ul aria-label="Task runs over time">
            {items.map(({ index, start }) => {
              const row = rows[index];
              if (!row) return null;
              return (
                <Row
                  key={row.key}
                  row={row}
                  top={start}
                  span={span}
                  nowMs={edgeMs}
                  marks={marks.get(row.key) ?? []}
                  isChosen={row.taskId !== null && row.taskId === search.task}
                  isOpen={opened.has(row.key)}
                  onToggle={() => toggle(row.key)}
                  onChoose={() => row.taskId && onSearch({ ...search, task: row.taskId })}
                />
              );
            })}
          </ul>
          <Arrows
            tasks={live.tasks}
            rows={rows}
            rowPx={ROW_PX}
            first={items[0]?.index ?? 0}
            last={items.at(-1)?.index ?? 0}
            span={span}
            nowMs={edgeMs}
            chosen={search.task}
          />
        </div>
      </div>
    </div>
  );
}

function extent(
  rows: ReturnType<typeof useTimelineRows>,
  run: RunPartProps["run"],
  nowMs: number,
): readonly [number, number] {
  let from = Number.POSITIVE_INFINITY;
  let until = run.end_time ? Date.parse(run.end_time) : isTerminal(run.state_type) ? 0 : nowMs;
  for (const { spans } of rows) {
    for (const span of spans) {
      from = Math.min(from, span.fromMs);
      until = Math.max(until, span.untilMs ?? span.fromMs);
    }
  }
  if (run.start_time) from = Math.min(from, Date.parse(run.start_time));
  return Number.isFinite(from) ? [from, Math.max(until, from + 1)] : [nowMs - 1, nowMs];
}
