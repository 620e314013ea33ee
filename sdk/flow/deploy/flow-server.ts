/** Takes the runs of some deployments as they become due, and executes them here. */
import { type ApiClient, watchEvents } from "../../client/index.ts";
import { type FlowRun, setFlowRunState } from "../../protocol/flow-runs.ts";
import type { DeploymentId, FlowRunId } from "../../protocol/ids.ts";
import { pollDeployments } from "../../protocol/polling.ts";
import type { StateType } from "../../protocol/states.ts";
import { fromWireTime, ms, toWireTime } from "../../protocol/time.ts";
import { clock } from "../configuration.ts";
import { parseDuration } from "../duration.ts";
import { echo } from "../engine/echo.ts";
import { executeFlowRun } from "../engine/execute-flow-run.ts";
import { errorMessage } from "../errors.ts";
import type { AnyFlow } from "../flow.ts";
import type { ServeOptions } from "./serve.ts";

/** Runs that are due this soon are awaited here, so that they start on time. */
const AHEAD_MS = 20_000;
/** The list of runs may be a moment behind what is told. */
const LOOK_AGAIN_MS = 300;

export class FlowServer {
  readonly #client: ApiClient;
  readonly #flows: ReadonlyMap<DeploymentId, AnyFlow>;
  readonly #options: ServeOptions;
  readonly #stop: AbortSignal | null;
  readonly #running = new Map<FlowRunId, Promise<void>>();
  /** Runs that are due soon, with what takes their timers back. */
  readonly #due = new Map<FlowRunId, () => void>();
  #isLooking = false;
  #looksAgain = false;
  #cannotAsk = false;

  constructor(
    client: ApiClient,
    flows: ReadonlyMap<DeploymentId, AnyFlow>,
    options: ServeOptions,
    stop: AbortSignal | null,
  ) {
    this.#client = client;
    this.#flows = flows;
    this.#options = options;
    this.#stop = stop;
  }

  get #isOver(): boolean {
    return this.#stop?.aborted ?? false;
  }

  async run(): Promise<void> {
    const intervalMs = parseDuration(this.#options.pollInterval ?? "10s", 'serve() option "pollInterval"');
    const over = new AbortController();
    const ended = new Promise<void>((resolve) => {
      if (this.#isOver) resolve();
      this.#stop?.addEventListener("abort", () => resolve(), { once: true });
    });
    const timer = setInterval(() => this.#look(), intervalMs);
    const resources = [...this.#flows.keys()].map((id) => `prefect.deployment.${id}`);
    const filter = {
      event: { prefix: ["prefect.flow-run."] },
      resource: { labels: { "prefect.state-type": "SCHEDULED" } },
      related: { id: resources },
    };
    watchEvents(this.#client, filter, () => this.#lookSoon(), over.signal);
    this.#look();
    this.#options.onReady?.([...this.#flows.keys()]);
    await ended;
    over.abort();
    clearInterval(timer);
    for (const cancel of this.#due.values()) cancel();
    await Promise.all(this.#running.values());
  }

  #lookSoon(): void {
    this.#look();
    clock().after(ms(LOOK_AGAIN_MS), () => this.#look());
  }

  #look(): void {
    if (this.#isOver) return;
    if (this.#isLooking) {
      this.#looksAgain = true;
      return;
    }
    this.#isLooking = true;
    void this.#poll().finally(() => {
      this.#isLooking = false;
      if (!this.#looksAgain) return;
      this.#looksAgain = false;
      this.#look();
    });
  }

  async #poll(): Promise<void> {
    const before = toWireTime(ms(clock().now() + AHEAD_MS) as never);
    try {
      const body = { deployment_ids: [...this.#flows.keys()], scheduled_before: before };
      const runs = await this.#client.call(pollDeployments, { body }, { idempotent: true, patienceMs: 0 });
      for (const run of runs) this.#expect(run);
      this.#cannotAsk = false;
    } catch (error) {
      // Asked again at the next interval; said once.
      if (!this.#cannotAsk) echo("warn", "sluice", `Runs could not be asked for: ${errorMessage(error)}`);
      this.#cannotAsk = true;
    }
  }

  #expect(run: FlowRun): void {
    if (this.#isOver || this.#due.has(run.id) || this.#running.has(run.id)) return;
    const dueAt = run.next_scheduled_start_time;
    const inMs = dueAt === null ? 0 : Math.max(0, fromWireTime(dueAt) - clock().now());
    const start = (): void => {
      this.#due.delete(run.id);
      this.#start(run);
    };
    if (inMs === 0) start();
    else this.#due.set(run.id, clock().after(ms(inMs), start));
  }

  #start(run: FlowRun): void {
    const flow = run.deployment_id === null ? undefined : this.#flows.get(run.deployment_id);
    // One above the limit is found again when another one has ended.
    if (!flow || this.#isOver || this.#running.size >= (this.#options.limit ?? 10)) return;
    const ended = this.#execute(run, flow).finally(() => {
      const wasFull = this.#running.size >= (this.#options.limit ?? 10);
      this.#running.delete(run.id);
      if (wasFull) this.#look();
    });
    this.#running.set(run.id, ended);
  }

  async #execute(run: FlowRun, flow: AnyFlow): Promise<void> {
    try {
      if (!(await this.#propose(run.id, "PENDING", null))) return;
    } catch (error) {
      echo("warn", run.name, `The run could not be claimed: ${errorMessage(error)}`);
      return;
    }
    try {
      await executeFlowRun({ client: this.#client, flowRunId: run.id, generation: null, flow });
    } catch (error) {
      echo("error", run.name, errorMessage(error));
      // Ended meanwhile, it refuses this; otherwise it must not stay Pending.
      await this.#propose(run.id, "CRASHED", errorMessage(error)).catch(() => false);
    }
  }

  /** Whether the run has become what was proposed. */
  async #propose(id: FlowRunId, type: StateType, message: string | null): Promise<boolean> {
    const state = { type, ...(message === null ? {} : { message }) };
    const { status } = await this.#client.call(setFlowRunState, { params: { id }, body: { state } });
    return status === "ACCEPT";
  }
}
