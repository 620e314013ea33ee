import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState } from "react";
import type { Log } from "#protocol/logs";
import { isTerminal } from "#protocol/states";
import { ErrorNote } from "../../../elements/error-note.tsx";
import { Skeleton } from "../../../elements/skeleton.tsx";
import type { RunPartProps } from "../page.tsx";
import { LogBar } from "./log-bar.tsx";
import { LogLine } from "./log-line.tsx";
import { useLog } from "./use-log.ts";

const LINE_PX = 20;
/** From the end, within which the log is followed. */
const FOLLOW_PX = 60;

/** The log of a run: follows its end, or shows the lines around the one that a link leads to. */
export function RunLog({ run, live, search, onSearch }: RunPartProps) {
  const { task, level, text, line } = search;
  const log = useLog({ runId: run.id, taskId: task, level, text, around: line }, live.logs);
  const scroller = useRef<HTMLDivElement>(null);
  const last = useRef({ top: 0, height: 0 });
  const [isFollowing, setFollowing] = useState(line === undefined);
  const virtual = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    getItemKey: (index) => log.lines[index]?.id ?? index,
    overscan: 20,
  });
  useStartReading(log, virtual);
  useLinkedLine(line, log, virtual);
  // Whoever leaves a link for the end wants to see it; whoever follows one does not.
  useEffect(() => setFollowing(line === undefined), [line]);
  // Lines that wrap are measured when they are drawn, and then the end is further down than it was thought to be.
  const height = virtual.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height stands for what is in the box.
  useEffect(() => {
    if (isFollowing && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [isFollowing, log.lines.length, height]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for the lines below the one that the link leads to.
  useEffect(() => {
    if (!log.isPending && !log.reachesEnd && line !== undefined) log.more("after");
  }, [log.isPending]);
  const onLink = useCallback(({ timestamp }: Log) => onSearch({ ...search, line: timestamp }), [search, onSearch]);
  const onScroll = (): void => {
    const box = scroller.current;
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    // Nor is it somebody who scrolls where the lines gave way to others, and the box was moved with them.
    const isUpwards = box.scrollTop < last.current.top && box.scrollHeight >= last.current.height;
    last.current = { top: box.scrollTop, height: box.scrollHeight };
    if (log.reachesEnd && below < FOLLOW_PX) setFollowing(true);
    // What grows moves nothing upwards; somebody who scrolls does.
    else if (isUpwards) setFollowing(false);
    if (box.scrollTop < box.clientHeight && !log.reachesStart) log.more("before");
    if (below < box.clientHeight && !log.reachesEnd) log.more("after");
  };
  const none = isTerminal(run.state_type) ? "The run wrote nothing like this." : "Nothing has been written yet.";
  return (
    <div className="stack" style={{ gap: "var(--gap-2)" }}>
      <LogBar
        run={run}
        live={live}
        search={search}
        onSearch={onSearch}
        isFollowing={isFollowing}
        onFollow={() => setFollowing(true)}
      />
      {log.error ? (
        <ErrorNote title="The log could not be read" error={log.error} onRetry={() => log.more("before")} />
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard. */}
      <div ref={scroller} className="log" tabIndex={0} role="log" aria-label="Log" aria-live="off" onScroll={onScroll}>
        {log.isPending && <Skeleton height="100%" />}
        {!log.isPending && log.lines.length === 0 && <p className="empty">{none}</p>}
        <div style={{ height, position: "relative" }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const one = log.lines[index];
            if (!one) return null;
            return (
              <div
                key={key}
                data-index={index}
                ref={virtual.measureElement}
                className="log-row"
                style={{ transform: `translateY(${start}px)` }}
              >
                <LogLine
                  line={one}
                  taskName={one.task_run_id && !task ? (live.tasks.get(one.task_run_id)?.name ?? null) : null}
                  isLinked={one.timestamp === line}
                  onLink={onLink}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Shows the line that a link leads to, or the first one after that time, once what is below it is there, too. */
function useLinkedLine(
  line: string | undefined,
  log: { readonly lines: readonly Log[]; readonly isPending: boolean; readonly reachesEnd: boolean },
  virtual: { scrollToIndex: (index: number, how: { align: "center" }) => void },
): void {
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (line === undefined) shown.current = undefined;
    if (line === undefined || line === shown.current || log.isPending || log.lines.length === 0) return;
    const last = log.lines.length - 1;
    const at = log.lines.findIndex(({ timestamp }) => timestamp >= line);
    if ((at === -1 || at === last) && !log.reachesEnd) return;
    shown.current = line;
    virtual.scrollToIndex(at === -1 ? last : at, { align: "center" });
  }, [line, log.lines, log.isPending, log.reachesEnd, virtual]);
}

/** Keeps the line in sight where it is when lines come in above it. */
function useStartReading(
  log: { readonly lines: readonly Log[] },
  virtual: { scrollToIndex: (index: number, how: { align: "start" }) => void },
): void {
  const first = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = first.current;
    first.current = log.lines[0]?.id;
    if (before === undefined || before === first.current) return;
    const at = log.lines.findIndex(({ id }) => id === before);
    if (at > 0) virtual.scrollToIndex(at, { align: "start" });
  }, [log.lines, virtual]);
}
