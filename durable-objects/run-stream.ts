/**
 * Sends what changes of a run to those who watch it (`sdk/protocol/run-stream.ts`). What changed is noted while it is
 * decided and read again after the commit, so that nothing is told that was undone, and many changes are one frame.
 * Nothing is kept: a watcher that comes gets a snapshot.
 */
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import type { Log } from "#protocol/logs";
import { FRAME_TASK_RUNS, type RunStreamFrame, SNAPSHOT_LOG_LINES, STREAM_CLOSE } from "#protocol/run-stream";
import { withoutSecrets } from "#protocol/secret-parameters";
import type { TaskRun } from "#protocol/task-runs";
import { clock } from "./clock.ts";
import { withEstimates } from "./flow-run-document.ts";
import { logOf, readLogs } from "./log-lines.ts";
import type { PartitionIds } from "./partition.ts";
import type { RunStore } from "./storage/run-store.ts";

const TAG = "watch:";
/** Of what a socket keeps, hibernating. */
const ATTACHMENT_CHARS = 1_000;

/** Names of the parameters that a watcher may not see; "all" where nobody knows which those are. */
export type Hidden = readonly string[] | "all";

export interface RunStreamParts {
  readonly ctx: DurableObjectState;
  readonly store: RunStore;
  readonly ids: PartitionIds;
  document(id: FlowRunId): FlowRun | null;
}

/** What of one run is to be told. */
interface Changes {
  isRun: boolean;
  /** Natural keys of task runs. */
  readonly tasks: Map<string, readonly [taskKey: string, dynamicKey: string]>;
  /** Numbers of chunks of log. */
  readonly logs: number[];
}

export class RunStream {
  readonly #parts: RunStreamParts;
  /** Runs with watchers, so that a change of any other run costs one look into a set. */
  readonly #watched = new Set<FlowRunId>();
  #changes = new Map<FlowRunId, Changes>();

  constructor(parts: RunStreamParts) {
    this.#parts = parts;
    for (const socket of parts.ctx.getWebSockets()) {
      const id = watchedRun(parts.ctx, socket);
      if (id) this.#watched.add(id);
    }
  }

  /** Takes an upgrade; null when there is no such run. */
  open(id: FlowRunId, hidden: Hidden): Response | null {
    const { ctx, store, ids, document } = this.#parts;
    const run = document(id);
    if (!run) return null;
    const { 0: client, 1: server } = new WebSocketPair();
    ctx.acceptWebSocket(server, [TAG + id]);
    if (hidden.length > 0) {
      server.serializeAttachment(JSON.stringify(hidden).length > ATTACHMENT_CHARS ? "all" : hidden);
    }
    this.#watched.add(id);
    const newest = { filter: null, sort: "TIMESTAMP_DESC", limit: SNAPSHOT_LOG_LINES, offset: 0 } as const;
    const tasks = store.tasks(id).map(({ task }) => withEstimates(task, clock.now()));
    const snapshot: RunStreamFrame = {
      type: "snapshot",
      flow_run: run,
      task_runs: tasks.slice(0, FRAME_TASK_RUNS),
      logs: readLogs(store.logs(id), ids, newest).reverse(),
    };
    for (const frame of [snapshot, ...taskFrames(tasks.slice(FRAME_TASK_RUNS))]) {
      server.send(JSON.stringify(shownTo(server, frame)));
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  run(id: FlowRunId): void {
    const changes = this.#note(id);
    if (changes) changes.isRun = true;
  }

  task(id: FlowRunId, taskKey: string, dynamicKey: string): void {
    this.#note(id)?.tasks.set(`${taskKey}\n${dynamicKey}`, [taskKey, dynamicKey]);
  }

  logs(id: FlowRunId, seq: number): void {
    this.#note(id)?.logs.push(seq);
  }

  /** The run was deleted: its watchers are told so. */
  deleted(id: FlowRunId): void {
    for (const socket of this.#socketsOf(id)) socket.close(STREAM_CLOSE.deleted, "The flow run was deleted.");
    this.#watched.delete(id);
  }

  /** A watcher has gone. */
  closed(id: FlowRunId): void {
    if (this.#socketsOf(id).length === 0) this.#watched.delete(id);
  }

  #note(id: FlowRunId): Changes | null {
    if (!this.#watched.has(id)) return null;
    const known = this.#changes.get(id);
    if (known) return known;
    if (this.#changes.size === 0) setTimeout(() => this.#tell(), 0);
    const changes: Changes = { isRun: false, tasks: new Map(), logs: [] };
    this.#changes.set(id, changes);
    return changes;
  }

  #tell(): void {
    const noted = this.#changes;
    this.#changes = new Map();
    for (const [id, changes] of noted) {
      const sockets = this.#socketsOf(id);
      if (sockets.length === 0) continue;
      for (const frame of this.#framesOf(id, changes)) {
        const text = JSON.stringify(frame);
        for (const socket of sockets) {
          const shown = shownTo(socket, frame);
          send(socket, shown === frame ? text : JSON.stringify(shown));
        }
      }
    }
  }

  #framesOf(id: FlowRunId, changes: Changes): RunStreamFrame[] {
    const { store, ids, document } = this.#parts;
    const frames: RunStreamFrame[] = [];
    const run = changes.isRun ? document(id) : null;
    if (run) frames.push({ type: "flow_run", flow_run: run });
    const tasks = [...changes.tasks.values()].flatMap(([taskKey, dynamicKey]) => {
      const row = store.task(id, taskKey, dynamicKey);
      return row ? [withEstimates(row.task, clock.now())] : [];
    });
    frames.push(...taskFrames(tasks));
    const logs = changes.logs.flatMap((seq): Log[] => {
      const chunk = store.logChunk(id, seq);
      return chunk ? chunk.lines.map((line, index) => ({ ...logOf(ids, chunk, line, index), flow_run_id: id })) : [];
    });
    if (logs.length > 0) frames.push({ type: "logs", logs });
    return frames;
  }

  #socketsOf(id: FlowRunId): WebSocket[] {
    return this.#parts.ctx.getWebSockets(TAG + id).filter((socket) => socket.readyState === WebSocket.OPEN);
  }
}

/** The frame as the watcher may see it. */
function shownTo(socket: WebSocket, frame: RunStreamFrame): RunStreamFrame {
  const hidden = socket.deserializeAttachment() as Hidden | null;
  if (hidden === null || !("flow_run" in frame)) return frame;
  const { parameters } = frame.flow_run;
  const secret = new Set(hidden === "all" ? Object.keys(parameters) : hidden);
  return { ...frame, flow_run: { ...frame.flow_run, parameters: withoutSecrets(parameters, secret) } };
}

function taskFrames(tasks: readonly TaskRun[]): RunStreamFrame[] {
  const frames: RunStreamFrame[] = [];
  for (let from = 0; from < tasks.length; from += FRAME_TASK_RUNS) {
    frames.push({ type: "task_runs", task_runs: tasks.slice(from, from + FRAME_TASK_RUNS) });
  }
  return frames;
}

/** The run that a socket watches; null for a socket of another kind. */
export function watchedRun(ctx: DurableObjectState, socket: WebSocket): FlowRunId | null {
  const tag = ctx.getTags(socket)[0];
  return tag?.startsWith(TAG) ? (tag.slice(TAG.length) as FlowRunId) : null;
}

function send(socket: WebSocket, text: string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > LIMITS.subscriberBytes) {
    socket.close(STREAM_CLOSE.slow, "Too slow: connect again for a snapshot.");
    return;
  }
  socket.send(text);
}
