/**
 * The worker: takes runs from a work pool over an outgoing connection and gives each a process of its own.
 *
 * Its life:
 *
 *     connecting ⇄ online        the connection comes and goes; processes live on meanwhile
 *          ↑         ↓
 *          └────── paused        run after run could not be started: takes nothing for a while
 *          ↓         ↓
 *          draining              takes nothing new and waits for its processes; on request, or sent away by the pool
 *             ↓
 *          stopped               for good
 */
import { hostname } from "node:os";
import type { ApiClient, CallOptions } from "../client/index.ts";
import { pause } from "../client/jitter.ts";
import { mayDo, readSession, type Session } from "../protocol/access.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";
import type { FlowRunId } from "../protocol/ids.ts";
import { HTTP_POOL_TYPE } from "../protocol/push.ts";
import { createWorkPool, readWorkPool, updateWorkPool, type WorkPool } from "../protocol/work-pools.ts";
import { type RunTicket, WORKER_CHANNEL_PROTOCOL } from "../protocol/worker-channel.ts";
import { defaultTemplate } from "./default-template.ts";
import { executeTicket, type RunEvent } from "./execute-ticket.ts";
import type { Infrastructure, RunningJob } from "./infrastructure.ts";
import { processInfrastructure } from "./process-infrastructure.ts";
import { StartTrouble } from "./start-trouble.ts";
import { WorkerChannel, type WorkerHello } from "./worker-channel.ts";
import { WorkerEvents } from "./worker-events.ts";

/** Where a worker is in its life. */
export type RunnerState =
  /** No connection; `attempt` counts the failed ones since it was last online, and `because` tells of the last. */
  | { readonly kind: "connecting"; readonly attempt: number; readonly because: string | null }
  /** `via` says whether it is connected, or asks by requests because its connections were cut again and again. */
  | { readonly kind: "online"; readonly workerId: string; readonly via: "socket" | "requests" }
  /** Run after run could not be started here, the last `because` of this: nothing is taken for a while. */
  | { readonly kind: "paused"; readonly because: string; readonly pauseMs: number }
  /** `error` is set when the pool sent the worker away. */
  | { readonly kind: "draining"; readonly because: string; readonly error: SluiceError | null }
  | { readonly kind: "stopped"; readonly because: string; readonly error: SluiceError | null };

/** What a worker tells of itself and its runs. */
export type RunnerEvent =
  | { readonly kind: "state"; readonly state: RunnerState }
  /** Events of this worker could not be told to the control plane; nothing else depends on them. */
  | { readonly kind: "events-failed"; readonly because: string }
  | RunEvent;

/** Which pool a worker serves, and how. */
export interface RunnerOptions {
  /** Of the control plane, with a key that may work. */
  readonly client: ApiClient;
  /** The pool, which has to exist unless `createPoolIfNotFound`. */
  readonly poolName: string;
  /** Has to be unique within the pool. Default: the machine's name and the number of this process. */
  readonly workerName?: string;
  /** Runs at the same time. Default 10. */
  readonly limit?: number;
  /** Queues of the pool to take runs from. Default: all. */
  readonly workQueueNames?: readonly string[];
  /**
   * Runs are taken this long before they are due, in milliseconds, and begin on time: what they run in is started
   * beforehand, and they hold their slots meanwhile. At most 180,000; default 0.
   */
  readonly prefetchMs?: number;
  /** Makes the pool, of type "process", if there is none. Default false. */
  readonly createPoolIfNotFound?: boolean;
  /** Takes the runs that are due, and stops when they are done. Default false. */
  readonly runOnce?: boolean;
  /** Where jobs are started. Default: processes of this machine, none of them started beforehand. */
  readonly infrastructure?: Infrastructure;
  /** How long it takes nothing after three runs in a row that could not be started, in milliseconds. Default 60,000. */
  readonly pauseMs?: number;
  /** A process that is to end is killed after this many milliseconds. Default 10,000. */
  readonly killGraceMs?: number;
  /** Told of everything that happens; it must not throw. */
  readonly onEvent?: (event: RunnerEvent) => void;
}

interface ActiveRun {
  readonly generation: number;
  readonly done: Promise<void>;
  /** Ends the run also while its code is still brought. */
  readonly ending: AbortController;
  job: RunningJob | null;
}

/** Claims that are remembered after their process has gone, so that a repeated push starts nothing. */
const ENDED_REMEMBERED = 1_000;
/** How long a worker that is stopped at once goes on trying to report the ends of its runs. */
const LAST_REPORTS_MS = 3_000;
/** A worker that runs once stops when nothing was pushed for this long. */
const QUIET_MS = 2_000;

/** A worker: takes runs from one work pool and starts a job for each. `start()` begins, `drain()` ends it in order, and `stopped`
 * tells why it ended. */
export class Runner {
  readonly workerName: string;
  /** Resolves with the last state when the worker has stopped. Never rejects. */
  readonly stopped: Promise<Extract<RunnerState, { kind: "stopped" }>>;
  readonly #options: RunnerOptions;
  readonly #channel: WorkerChannel;
  readonly #runs = new Map<FlowRunId, ActiveRun>();
  readonly #ended = new Map<FlowRunId, number>();
  readonly #reports = new AbortController();
  readonly #startTrouble: StartTrouble;
  readonly #infrastructure: Infrastructure;
  readonly #events: WorkerEvents;
  #template: JsonObject = {};
  #pauseTimer: NodeJS.Timeout | null = null;
  #quietTimer: NodeJS.Timeout | null = null;
  #hasStarted = false;
  #isKilling = false;
  #state: RunnerState = { kind: "connecting", attempt: 0, because: null };
  #resolveStopped: (state: Extract<RunnerState, { kind: "stopped" }>) => void;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#startTrouble = new StartTrouble(options.pauseMs);
    this.workerName = options.workerName ?? `${hostname()}-${process.pid}`;
    const { promise, resolve } = Promise.withResolvers<Extract<RunnerState, { kind: "stopped" }>>();
    this.stopped = promise;
    this.#resolveStopped = resolve;
    this.#infrastructure = options.infrastructure ?? processInfrastructure(0);
    this.#events = new WorkerEvents({
      client: options.client,
      workerName: this.workerName,
      workerType: this.#infrastructure.type,
      poolName: options.poolName,
      onFailure: (because) => this.#options.onEvent?.({ kind: "events-failed", because }),
    });
    this.#channel = new WorkerChannel({
      client: options.client,
      poolName: options.poolName,
      hello: () => this.#hello(),
      check: (signal) => this.#checkPool(signal),
      onTemplate: (template) => {
        this.#template = template;
      },
      onWelcome: ({ worker_id: workerId }) => {
        if (!this.#hasStarted) this.#events.tell("started", null);
        this.#hasStarted = true;
        this.#stopWhenQuiet();
        if (this.#state.kind === "draining" || this.#state.kind === "paused") this.#channel.drain();
        else this.#enter({ kind: "online", workerId, via: this.#channel.isByRequests ? "requests" : "socket" });
      },
      onRun: (ticket) => void this.#take(ticket),
      onKill: (id, generation) => this.#kill(id, generation),
      onDown: (because, attempt) => {
        if (this.#state.kind === "draining" || this.#state.kind === "paused") return;
        this.#enter({ kind: "connecting", attempt, because });
      },
      onRefused: (error) => this.#drain(error.message, error),
    });
  }

  get state(): RunnerState {
    return this.#state;
  }

  /** Runs whose processes live, or whose ends are not reported yet. */
  get activeRuns(): number {
    return this.#runs.size;
  }

  start(): void {
    this.#options.onEvent?.({ kind: "state", state: this.#state });
    this.#infrastructure.start(this.#options.client.url);
    this.#channel.start();
  }

  /** Takes nothing new, waits for the processes there are, then stops. */
  drain(because: string): void {
    this.#drain(because, null);
  }

  /** Kills all processes, reports their ends if that is possible within a few seconds, and stops. */
  async stopNow(because: string): Promise<void> {
    this.#drain(because, null);
    this.#isKilling = true;
    const deadline = setTimeout(() => this.#reports.abort(), LAST_REPORTS_MS);
    for (const run of this.#runs.values()) {
      run.ending.abort();
      run.job?.kill();
    }
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
    clearTimeout(deadline);
    await this.stopped;
  }

  #drain(because: string, error: SluiceError | null): void {
    if (this.#state.kind === "draining" || this.#state.kind === "stopped") return;
    this.#channel.drain();
    this.#infrastructure.stop();
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    if (this.#quietTimer !== null) clearTimeout(this.#quietTimer);
    this.#enter({ kind: "draining", because, error });
    this.#stopIfDone();
  }

  #stopIfDone(): void {
    if (this.#state.kind !== "draining" || this.#runs.size > 0) return;
    const { because, error } = this.#state;
    const state = { kind: "stopped", because, error } as const;
    this.#channel.stop();
    if (this.#hasStarted) this.#events.tell("stopped", null);
    this.#enter(state);
    const told = this.#hasStarted ? this.#events.flush() : Promise.resolve();
    // A control plane that is away does not keep a worker that is done.
    void Promise.race([told, pause(LAST_REPORTS_MS)]).then(() => this.#resolveStopped(state));
  }

  #stopWhenQuiet(): void {
    if (this.#options.runOnce !== true) return;
    if (this.#quietTimer !== null) clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#drain("There is nothing more to run now", null), QUIET_MS);
  }

  #enter(state: RunnerState): void {
    this.#state = state;
    this.#options.onEvent?.({ kind: "state", state });
  }

  #hello(): WorkerHello {
    const { limit = 10, workQueueNames = [], prefetchMs = 0 } = this.#options;
    return {
      type: "hello",
      protocol: WORKER_CHANNEL_PROTOCOL,
      worker_name: this.workerName,
      worker_type: this.#infrastructure.type,
      limit,
      work_queue_names: [...workQueueNames],
      prefetch_ms: prefetchMs,
      runs: [...this.#runs].map(([id, { generation }]) => ({ flow_run_id: id, generation })),
    };
  }

  async #checkPool(signal: AbortSignal): Promise<void> {
    const { client, poolName, createPoolIfNotFound = false } = this.#options;
    const how = { signal, patienceMs: 0 };
    let found: string;
    if (client.key !== null) requireWorker(await client.call(readSession, {}, how));
    try {
      const pool = await client.call(readWorkPool, { params: { name: poolName } }, how);
      if (pool.type === this.#infrastructure.type) return await this.#giveTemplate(pool, how);
      found = pool.type;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== "not_found") throw error;
      if (createPoolIfNotFound) {
        const template = await defaultTemplate(client, this.#infrastructure.type, how);
        const body = { name: poolName, type: this.#infrastructure.type, base_job_template: template };
        await client.call(createWorkPool, { body }, how);
        return;
      }
      throw new SluiceError("not_found", `There is no work pool "${poolName}" at ${client.url}.`, {
        fix: `Create it with \`sluice work-pool create ${poolName}\`, or start the worker with --create-pool-if-not-found.`,
        cause: error,
      });
    }
    const { type } = this.#infrastructure;
    throw new SluiceError(
      "conflict",
      `Work pool "${poolName}" is of type "${found}", and this worker of type "${type}".`,
      {
        fix:
          found === HTTP_POOL_TYPE
            ? "Its runs are pushed to a URL: it needs no worker."
            : `Start it with --type ${found}, or make a pool for it: sluice work-pool create NAME --type ${type}`,
      },
    );
  }

  /** A pool that has no template gets that of its type, so that people see what there is to set. */
  async #giveTemplate({ name, base_job_template: own }: WorkPool, how: CallOptions): Promise<void> {
    if (Object.keys(own).length > 0) return;
    const { client } = this.#options;
    try {
      const template = await defaultTemplate(client, this.#infrastructure.type, how);
      if (template === null) return;
      await client.call(updateWorkPool, { params: { name }, body: { base_job_template: template } }, how);
    } catch (error) {
      // Pools are changed by operators; a worker whose key may not does without.
      if (!(error instanceof SluiceError) || error.status >= 500) throw error;
    }
  }

  /** A pushed run is claimed on this worker's behalf: it is executed even if the worker was just told to drain. */
  async #take(ticket: RunTicket): Promise<void> {
    const { flow_run_id: id, generation } = ticket;
    const known = this.#runs.get(id);
    if (known && known.generation >= generation) return;
    if ((this.#ended.get(id) ?? -1) >= generation) return this.#channel.released(id, generation);
    this.#stopWhenQuiet();
    // Whoever was given the run before must not go on with it.
    known?.ending.abort();
    known?.job?.kill();
    const { client, killGraceMs = 10_000, onEvent } = this.#options;
    const over = Promise.withResolvers<void>();
    const run: ActiveRun = { generation, job: null, done: over.promise, ending: new AbortController() };
    this.#runs.set(id, run);
    await known?.done;
    this.#events.tell("submitted-flow-run", ticket);
    const notStarted = await executeTicket(ticket, {
      client,
      workerName: this.workerName,
      killGraceMs,
      template: this.#template,
      infrastructure: this.#infrastructure,
      ending: run.ending.signal,
      reporting: this.#reports.signal,
      onJob: (child) => {
        run.job = child;
        if (this.#isKilling || run.ending.signal.aborted) child.kill();
      },
      onEvent: (event) => onEvent?.(event),
    });
    if (this.#runs.get(id) === run) this.#runs.delete(id);
    this.#remember(id, generation);
    this.#channel.released(id, generation);
    this.#events.tell("executed-flow-run", ticket);
    this.#stopWhenQuiet();
    over.resolve();
    if (notStarted === null) this.#startTrouble.started();
    else this.#pauseAfter(notStarted);
    this.#stopIfDone();
  }

  /** Another run could not be started: perhaps it is this worker that is broken. */
  #pauseAfter(because: string): void {
    const pauseMs = this.#startTrouble.failed();
    if (pauseMs === null || (this.#state.kind !== "online" && this.#state.kind !== "connecting")) return;
    this.#channel.drain();
    this.#enter({ kind: "paused", because, pauseMs });
    this.#pauseTimer = setTimeout(() => {
      if (this.#state.kind !== "paused") return;
      this.#enter({ kind: "connecting", attempt: 0, because: null });
      // Who says hello anew is given runs again.
      this.#channel.reconnect();
    }, pauseMs);
  }

  #kill(id: FlowRunId, generation: number): void {
    const run = this.#runs.get(id);
    if (!run || run.generation > generation) return;
    run.ending.abort();
    run.job?.terminate(this.#options.killGraceMs ?? 10_000);
  }

  #remember(id: FlowRunId, generation: number): void {
    this.#ended.delete(id);
    this.#ended.set(id, generation);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_REMEMBERED) break;
      this.#ended.delete(oldest);
    }
  }
}

/** A key of too low a role may read the pool, and would be refused with every connection, without a word. */
function requireWorker({ role, key_name: name }: Session): void {
  if (mayDo(role, "worker")) return;
  throw new SluiceError("forbidden", `A worker needs the role worker; the key "${name}" has the role ${role}.`, {
    fix: "Use a key with the role worker: sluice key create NAME --role worker",
  });
}
