/** What is known of one flow run, kept up to date by the server for as long as somebody looks at the page. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { runStream } from "#protocol/channels";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { Log } from "#protocol/logs";
import { RunStreamFrame, STREAM_CLOSE } from "#protocol/run-stream";
import type { TaskRun } from "#protocol/task-runs";
import { fullJitterMs } from "../../sdk/client/jitter.ts";
import { api } from "./client.ts";
import { connection } from "./connection.ts";

export interface LiveRun {
  /** Null until the first frame. */
  readonly run: FlowRun | null;
  readonly tasks: ReadonlyMap<TaskRunId, TaskRun>;
  /** Lines that have arrived since the page was opened, and some before them, oldest first. */
  readonly logs: readonly Log[];
  readonly status: "connecting" | "live" | "lost" | "deleted";
}

const NOTHING: LiveRun = { run: null, tasks: new Map(), logs: [], status: "connecting" };
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 10_000;
/** Older lines are read by whoever scrolls up to them. */
const KEPT_LINES = 20_000;

export function useRunStream(id: FlowRunId): LiveRun {
  const [watch, setWatch] = useState(() => new RunWatch(id));
  useEffect(() => {
    const next = watch.id === id ? watch : new RunWatch(id);
    setWatch(next);
    return next.start();
  }, [id, watch]);
  return useSyncExternalStore(watch.subscribe, watch.read);
}

class RunWatch {
  readonly id: FlowRunId;
  readonly #listeners = new Set<() => void>();
  #known = NOTHING;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  /** Frames that are told together, once before the next picture. */
  #waiting: RunStreamFrame[] = [];

  constructor(id: FlowRunId) {
    this.id = id;
  }

  readonly read = (): LiveRun => this.#known;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Connects while the page is visible; the answer ends it. */
  start(): () => void {
    const onVisibility = (): void => (document.hidden ? this.#disconnect() : this.#connect());
    document.addEventListener("visibilitychange", onVisibility);
    onVisibility();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      this.#disconnect();
    };
  }

  #connect(): void {
    if (this.#socket !== null || this.#known.status === "deleted") return;
    clearTimeout(this.#timer);
    const socket = new WebSocket(api.socketUrl(runStream.path.replace(":id", this.id) as `/${string}`));
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#receive(String(data)));
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (code === STREAM_CLOSE.deleted) return this.#tell({ ...this.#known, status: "deleted" });
      this.#tell({ ...this.#known, status: "lost" });
      // One that closes at once may be a deploy; whether anybody answers at all is asked by the bar.
      if (this.#tries === 1) connection.lost();
      this.#timer = setTimeout(() => this.#connect(), fullJitterMs(this.#tries++, RETRY_BASE_MS, RETRY_MAX_MS));
    });
  }

  #disconnect(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #receive(data: string): void {
    const frame = RunStreamFrame.safeParse(readJson(data));
    if (!frame.success) {
      this.#socket?.close();
      return;
    }
    this.#tries = 0;
    this.#waiting.push(frame.data);
    if (this.#waiting.length === 1) requestAnimationFrame(() => this.#merge());
  }

  #merge(): void {
    let next = this.#known;
    for (const frame of this.#waiting) next = merged(next, frame);
    this.#waiting = [];
    this.#tell(next);
  }

  #tell(next: LiveRun): void {
    this.#known = next;
    for (const listener of this.#listeners) listener();
  }
}

function merged(known: LiveRun, frame: RunStreamFrame): LiveRun {
  switch (frame.type) {
    case "snapshot":
      return {
        run: frame.flow_run,
        tasks: new Map(frame.task_runs.map((task) => [task.id, task])),
        logs: withLines(known.logs, frame.logs),
        status: "live",
      };
    case "flow_run":
      return { ...known, run: frame.flow_run };
    case "task_runs":
      return { ...known, tasks: new Map([...known.tasks, ...frame.task_runs.map((task) => [task.id, task] as const)]) };
    case "logs":
      return { ...known, logs: withLines(known.logs, frame.logs) };
  }
}

function withLines(known: readonly Log[], more: readonly Log[]): readonly Log[] {
  const ids = new Set(known.slice(-more.length * 2 - 200).map(({ id }) => id));
  const fresh = more.filter(({ id }) => !ids.has(id));
  return fresh.length === 0 ? known : [...known, ...fresh].slice(-KEPT_LINES);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not a frame: the caller closes the socket, and a new one begins with a snapshot.
    return null;
  }
}
