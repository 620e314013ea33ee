/** Follows a flow run until it ends: its states and its log lines, as they appear. */
import type { ApiClient } from "../client/api-client.ts";
import { pause } from "../client/jitter.ts";
import { type FlowRun, readFlowRun } from "../protocol/flow-runs.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { filterLogs, type Log } from "../protocol/logs.ts";
import { isTerminal } from "../protocol/states.ts";
import { type EpochMs, fromWireTime, toWireTime, type WireTime } from "../protocol/time.ts";
import { TaskNames } from "./task-names.ts";

/** What there is to tell of a run. */
export type RunNews =
  /** The run has another state than before (the first is told too). */
  { readonly kind: "state"; readonly run: FlowRun } | { readonly kind: "log"; readonly log: Log; readonly who: string };

export interface FollowOptions {
  readonly intervalMs?: number;
  /** Least level of the lines to tell. Default: all. */
  readonly minLevel?: number;
  readonly signal?: AbortSignal;
}

/** Lines may arrive this much later than others that were written after them. */
const LATE_LINES_MS = 5_000;

/** Reads log lines again and again, telling each once. */
export class LogReader {
  readonly #client: ApiClient;
  readonly #flowRunId: FlowRunId;
  readonly #minLevel: number | null;
  readonly #seen = new Set<string>();
  readonly #names: TaskNames;
  #latest: WireTime | null = null;

  constructor(client: ApiClient, flowRunId: FlowRunId, minLevel: number | null = null) {
    this.#client = client;
    this.#flowRunId = flowRunId;
    this.#minLevel = minLevel;
    this.#names = new TaskNames(client);
  }

  /** Who wrote a line: its task run, or else its logger. */
  whoOf(log: Log): string {
    return this.#names.of(log);
  }

  /** Lines that were not told before, oldest first. */
  async *read(signal?: AbortSignal): AsyncGenerator<Log> {
    const since = this.#latest === null ? null : before(this.#latest, LATE_LINES_MS);
    for (let offset = 0; ; offset += LIMITS.pageRows) {
      const page = await this.#client.call(
        filterLogs,
        {
          body: {
            logs: {
              flow_run_id: { any_: [this.#flowRunId] },
              ...(this.#minLevel === null ? {} : { level: { ge_: this.#minLevel } }),
              ...(since === null ? {} : { timestamp: { after_: since } }),
            },
            sort: "TIMESTAMP_ASC",
            limit: LIMITS.pageRows,
            offset,
          },
        },
        { idempotent: true, ...(signal ? { signal } : {}) },
      );
      await this.#names.learn(
        page.filter(({ id }) => !this.#seen.has(id)),
        signal,
      );
      for (const log of page) {
        if (this.#seen.has(log.id)) continue;
        this.#seen.add(log.id);
        if (this.#latest === null || log.timestamp > this.#latest) this.#latest = log.timestamp;
        yield log;
      }
      if (page.length < LIMITS.pageRows) return;
    }
  }
}

function before(time: WireTime, spanMs: number): WireTime {
  return toWireTime((fromWireTime(time) - spanMs) as EpochMs);
}

/** Tells states and log lines until the run has ended. The last news is its terminal state. */
export async function* followRun(
  client: ApiClient,
  flowRunId: FlowRunId,
  options: FollowOptions = {},
): AsyncGenerator<RunNews> {
  const { intervalMs = 250, minLevel = null, signal } = options;
  const logs = new LogReader(client, flowRunId, minLevel);
  const how = signal ? { signal } : {};
  let stateId: string | null = null;
  for (;;) {
    const run = await client.call(readFlowRun, { params: { id: flowRunId } }, how);
    const ended = isTerminal(run.state_type);
    if (!ended && run.state_id !== stateId) yield { kind: "state", run };
    // A run's lines are stored before its end is.
    for await (const log of logs.read(signal)) yield { kind: "log", log, who: logs.whoOf(log) };
    if (ended) {
      yield { kind: "state", run };
      return;
    }
    stateId = run.state_id;
    await pause(intervalMs, signal);
  }
}
