/**
 * A window on a log: lines without a gap, which grows upwards and downwards page by page, and downwards by what arrives.
 * Pages are found by the time of the outermost line; lines of that very time that are known are skipped by number.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { filterLogs, type Log, LogFilter } from "#protocol/logs";
import { api } from "../../../api/client.ts";

export interface LogQuery {
  readonly runId: FlowRunId;
  readonly taskId: TaskRunId | undefined;
  readonly level: number | undefined;
  readonly text: string | undefined;
  /** The time of a line that must be in the window; absent: the end of the log. */
  readonly around: string | undefined;
}

export interface LogWindow {
  readonly lines: readonly Log[];
  readonly reachesStart: boolean;
  readonly reachesEnd: boolean;
  readonly isPending: boolean;
  readonly error: unknown;
}

type Side = "before" | "after";
const EMPTY: LogWindow = { lines: [], reachesStart: false, reachesEnd: false, isPending: true, error: null };

/** `arrived` are the lines that the stream has brought, oldest first. */
export function useLog(query: LogQuery, arrived: readonly Log[]) {
  const key = JSON.stringify(query);
  const [window, setWindow] = useState({ key, ...EMPTY });
  const busy = useRef<AbortController | null>(null);
  const shown = window.key === key ? window : { key, ...EMPTY };

  const more = useCallback(
    async (side: Side, of: LogWindow): Promise<void> => {
      if (busy.current) return;
      const abort = new AbortController();
      busy.current = abort;
      try {
        const page = await readPage(JSON.parse(key) as LogQuery, side, of.lines, abort.signal);
        setWindow((now) => ({ ...(now.key === key ? now : { key, ...EMPTY }), ...grown(of, side, page), key }));
      } catch (error) {
        if (!abort.signal.aborted) setWindow({ key, ...of, isPending: false, error });
      } finally {
        if (busy.current === abort) busy.current = null;
      }
    },
    [key],
  );

  useEffect(() => {
    const { around } = JSON.parse(key) as LogQuery;
    void more("before", { ...EMPTY, reachesEnd: around === undefined });
    return () => {
      busy.current?.abort();
      busy.current = null;
    };
  }, [key, more]);

  const { lines: read, reachesEnd } = shown;
  const lines = useMemo(() => {
    // Lines that arrive belong to the window only when it reaches the end.
    const fresh = reachesEnd ? freshLines(JSON.parse(key) as LogQuery, read, arrived) : [];
    return fresh.length > 0 ? [...read, ...fresh] : read;
  }, [key, read, reachesEnd, arrived]);
  return { ...shown, lines, more: (side: Side) => void more(side, { ...shown, lines }) };
}

async function readPage(query: LogQuery, side: Side, known: readonly Log[], signal: AbortSignal): Promise<Log[]> {
  const { runId, taskId, level, text, around } = query;
  const edge = (side === "before" ? known[0] : known.at(-1))?.timestamp ?? around;
  const filter = LogFilter.parse({
    flow_run_id: { any_: [runId] },
    ...(taskId && { task_run_id: { any_: [taskId] } }),
    ...(level && { level: { ge_: level } }),
    ...(text && { text: { query: text } }),
    ...(edge && { timestamp: side === "before" ? { before_: edge } : { after_: edge } }),
  });
  const offset = known.length === 0 ? 0 : known.filter(({ timestamp }) => timestamp === edge).length;
  const sort = side === "before" ? "TIMESTAMP_DESC" : "TIMESTAMP_ASC";
  const body = { logs: filter, sort, limit: LIMITS.pageRows, offset } as const;
  const page = await api.call(filterLogs, { body }, { signal, idempotent: true });
  return side === "before" ? page.reverse() : page;
}

function grown(of: LogWindow, side: Side, page: readonly Log[]): LogWindow {
  const ended = page.length < LIMITS.pageRows;
  return {
    lines: side === "before" ? [...page, ...of.lines] : [...of.lines, ...page],
    reachesStart: of.reachesStart || (side === "before" && ended),
    reachesEnd: of.reachesEnd || (side === "after" && ended),
    isPending: false,
    error: null,
  };
}

function freshLines({ taskId, level, text }: LogQuery, known: readonly Log[], arrived: readonly Log[]): Log[] {
  const last = known.at(-1)?.timestamp ?? "";
  const ids = new Set(known.slice(-LIMITS.pageRows).map(({ id }) => id));
  const wanted = text?.toLowerCase();
  return arrived.filter(
    (line) =>
      line.timestamp >= last &&
      !ids.has(line.id) &&
      (!taskId || line.task_run_id === taskId) &&
      line.level >= (level ?? 0) &&
      (!wanted || line.message.toLowerCase().includes(wanted)),
  );
}
