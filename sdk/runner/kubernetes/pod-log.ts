/** Follows what a container writes, and goes on where it was when the connection breaks. */
import { pause } from "../../client/jitter.ts";
import { lineReader } from "../output-lines.ts";
import { type ClusterApi, ClusterError, pauseAfter } from "./cluster-api.ts";

export interface PodLog {
  readonly api: ClusterApi;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Whether the container has ended: what comes then is the rest. */
  isOver(): boolean;
  onLine(line: string): void;
}

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) ?(.*)$/s;

/** Resolves when all is read, or when the signal aborts. Throws {@link ClusterError} where logs may not be read. */
export async function followLog(log: PodLog): Promise<void> {
  const { signal } = log;
  let last = "";
  let failures = 0;
  while (!signal.aborted) {
    const isRest = log.isOver();
    const since = last;
    let hasRead = false;
    try {
      for await (const { stamp, line } of stampedLines(log, since)) {
        hasRead = true;
        if (stamp !== null && stamp <= since) continue;
        if (stamp !== null) last = stamp;
        log.onLine(line);
      }
      if (isRest || log.isOver()) return;
    } catch (error) {
      if (signal.aborted) return;
      // 400: the container is not there yet, or not any more.
      const passing = !(error instanceof ClusterError) || error.isPassing || error.status === 400;
      if (!passing && !(error instanceof ClusterError && error.status === 404 && isRest)) throw error;
      if (isRest && failures > 3) return;
    }
    failures = hasRead ? 0 : failures + 1;
    await pause(pauseAfter(failures), signal).catch(() => undefined);
  }
}

interface StampedLine {
  /** Comparable as text; null for a line without a time. */
  readonly stamp: string | null;
  readonly line: string;
}

async function* stampedLines(log: PodLog, since: string): AsyncGenerator<StampedLine> {
  const query = {
    container: log.container,
    follow: "true",
    timestamps: "true",
    // The API reads whole seconds here: lines of that second come twice, and are told apart by their time.
    ...(since === "" ? {} : { sinceTime: `${since.slice(0, 19)}Z` }),
  };
  const path = `/api/v1/namespaces/${log.namespace}/pods/${log.pod}/log`;
  const stream = await log.api.stream(path, query, log.signal);
  const lines: string[] = [];
  const reader = lineReader((line) => lines.push(line));
  try {
    for await (const chunk of stream) {
      reader.push(chunk as Uint8Array);
      for (const line of lines.splice(0)) yield stamped(line);
    }
    reader.end();
    for (const line of lines.splice(0)) yield stamped(line);
  } finally {
    stream.destroy();
  }
}

/** The kubelet leaves out zeros at the end of a second's parts, and clocks of nodes are set to UTC. */
function stamped(text: string): StampedLine {
  const [, seconds, parts = "", zone, line = ""] = STAMPED.exec(text) ?? [];
  if (seconds === undefined || zone !== "Z") return { stamp: null, line: text };
  return { stamp: `${seconds}.${parts.padEnd(9, "0")}`, line };
}
