/** A pool's object, workers that speak the real channel, and owners of runs that exist only in memory. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach } from "vitest";
import type { z } from "zod";
import type { FlowRunId } from "#protocol/ids";
import { type PoolOffer, type RunTicket, type WorkerClientFrame, WorkerServerFrame } from "#protocol/worker-channel";
import { clock } from "../../../durable-objects/clock.ts";
import type { WorkPoolObject } from "../../../durable-objects/work-pool-object.ts";
import type { PoolSettings } from "../../../durable-objects/work-pool-owner.ts";
import { freshRunId, until } from "./runs.ts";

export const MINUTE_MS = 60_000;
/** Workers of such a pool stay online however far a test moves the clock. */
export const PATIENT = { heartbeatIntervalMs: 10 * 24 * 60 * MINUTE_MS };

/** Moves the clock of all objects by a span in milliseconds; after each test it is put right again. */
export function movableClock(): (spanMs: number) => void {
  let movedMs = 0;
  afterEach(() => {
    clock.move(-movedMs);
    movedMs = 0;
  });
  return (spanMs) => {
    movedMs += spanMs;
    clock.move(spanMs);
  };
}

type FrameOf<T extends WorkerServerFrame["type"]> = Extract<WorkerServerFrame, { type: T }>;

export interface OfferOptions {
  readonly id?: FlowRunId;
  /** From now, in milliseconds. */
  readonly dueInMs?: number;
  readonly queue?: string;
  readonly priority?: number;
}

export function offer({
  id = freshRunId(),
  dueInMs = 0,
  queue = "default",
  priority = 1,
}: OfferOptions = {}): PoolOffer {
  return {
    ticket: {
      flow_run_id: id,
      name: "quiet-otter",
      deployment_id: null,
      entrypoint: "flow.ts:main",
      path: null,
      pull_steps: null,
      job_variables: {},
      work_queue_name: queue,
    },
    due_at: clock.now() + dueInMs,
    queue: { id: null, name: queue, priority },
  };
}

/**
 * What the owners of runs do with claims: each waiting run is given to the first that asks, under a new generation.
 * Until it is started, the same worker is given the same claim again.
 */
export class RunOwners {
  readonly #waiting = new Set<FlowRunId>();
  readonly #generations = new Map<FlowRunId, number>();
  readonly #unconfirmed = new Map<FlowRunId, string>();
  /** Every claim that was asked for, in order. */
  readonly asked: { readonly id: FlowRunId; readonly worker: string }[] = [];
  /** Claims that are asked for wait until this is false. */
  isSlow = false;
  /** The next claims end with these errors, before or after the run is given away. */
  faults: { readonly error: Error; readonly afterwards: boolean }[] = [];
  /** Told of each ticket that was made. */
  onTicket: (id: FlowRunId, worker: string, generation: number) => void = () => {};

  /** The run waits (again) to be claimed. */
  wait(id: FlowRunId): void {
    this.#unconfirmed.delete(id);
    this.#waiting.add(id);
  }

  /** The run does not wait: it was started, was cancelled, or somebody else has it. */
  end(id: FlowRunId): void {
    this.#unconfirmed.delete(id);
    this.#waiting.delete(id);
  }

  generation(id: FlowRunId): number {
    return this.#generations.get(id) ?? 0;
  }

  claim = async (id: FlowRunId, { name }: { readonly name: string }): Promise<RunTicket | null> => {
    this.asked.push({ id, worker: name });
    const fault = this.faults.shift();
    do await scheduler.wait(0);
    while (this.isSlow);
    if (fault && !fault.afterwards) throw fault.error;
    const ticket = this.#give(id, name);
    if (fault) throw fault.error;
    return ticket;
  };

  #give(id: FlowRunId, worker: string): RunTicket | null {
    if (this.#waiting.delete(id)) {
      this.#generations.set(id, this.generation(id) + 1);
      this.#unconfirmed.set(id, worker);
      this.onTicket(id, worker, this.generation(id));
    } else if (this.#unconfirmed.get(id) !== worker) return null;
    return { ...offer({ id }).ticket, generation: this.generation(id), lease_ms: 30_000, run_token: null };
  }
}

/** One end of the worker channel. */
export class WorkerClient {
  readonly name: string;
  readonly frames: WorkerServerFrame[] = [];
  readonly #socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | null = null;
  onFrame: (frame: WorkerServerFrame) => void = () => {};

  constructor(name: string, socket: WebSocket) {
    this.name = name;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data === "pong" || this.closed) return;
      const frame = WorkerServerFrame.parse(JSON.parse(String(data)));
      this.frames.push(frame);
      this.onFrame(frame);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed ??= { code, reason };
    });
    socket.accept();
  }

  send(frame: z.input<typeof WorkerClientFrame>): void {
    this.#socket.send(JSON.stringify(frame));
  }

  sendRaw(message: string | ArrayBuffer): void {
    this.#socket.send(message);
  }

  /** Says that the process of the run that was pushed first is gone. */
  release(): void {
    const [first] = this.all("run");
    if (!first) throw new Error(`${this.name} was given no run.`);
    this.send({ type: "released", flow_run_id: first.ticket.flow_run_id, generation: first.ticket.generation });
  }

  /** Nothing that arrives after this is seen. */
  close(): void {
    this.closed ??= { code: 1000, reason: "left" };
    this.#socket.close(1000, "left");
  }

  all<T extends WorkerServerFrame["type"]>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** Ids of the runs that were pushed, in order. */
  get runs(): FlowRunId[] {
    return this.all("run").map(({ ticket }) => ticket.flow_run_id);
  }

  async waitFor<T extends WorkerServerFrame["type"]>(type: T, count = 1): Promise<FrameOf<T>[]> {
    return until(`${count} frames "${type}" at ${this.name}`, async () => {
      const frames = this.all(type);
      return frames.length >= count ? frames : null;
    });
  }

  async waitForClose(): Promise<{ readonly code: number; readonly reason: string }> {
    return until(`the close of ${this.name}`, async () => this.closed);
  }
}

export interface ConnectOptions {
  readonly limit?: number;
  readonly queues?: readonly string[];
  readonly prefetchMs?: number;
  readonly runs?: readonly { readonly flow_run_id: FlowRunId; readonly generation: number }[];
}

let pools = 0;

/** A pool's object that asks `owners` instead of the objects that own runs. */
export class Pool {
  readonly owners = new RunOwners();
  readonly name: string;
  readonly stub: DurableObjectStub<WorkPoolObject>;

  private constructor(name: string) {
    this.name = name;
    this.stub = env.WORK_POOLS.getByName(name);
  }

  static async open(settings: Partial<PoolSettings> = {}): Promise<Pool> {
    const pool = Pool.ofRealRuns();
    await pool.#standIn();
    await pool.configure(settings);
    return pool;
  }

  /** The object of a pool that was made over the API. */
  static named(name: string): Pool {
    return new Pool(name);
  }

  /** A pool that asks the objects that own flow runs. */
  static ofRealRuns(name?: string): Pool {
    pools += 1;
    return new Pool(name ?? `pool-${pools}-${crypto.randomUUID()}`);
  }

  async configure(settings: Partial<PoolSettings>): Promise<void> {
    await this.stub.configure({
      isPaused: false,
      concurrencyLimit: null,
      queues: [],
      baseJobTemplate: {},
      ...settings,
    });
  }

  /** Offers a run that waits at its owner. */
  async offer(options: OfferOptions = {}): Promise<FlowRunId> {
    const made = offer(options);
    const id = made.ticket.flow_run_id;
    this.owners.wait(id);
    await this.stub.offer(made);
    return id;
  }

  /** The object loses its memory; its sockets hibernate. */
  async evict(): Promise<void> {
    await evictDurableObject(this.stub);
    await this.#standIn();
  }

  /** As {@link evict}, for a pool that asks the real owners. */
  async evictReal(): Promise<void> {
    // Only an object that runs can be evicted.
    await this.status();
    await evictDurableObject(this.stub);
  }

  /** The object loses its memory and its sockets, as when the server is killed. */
  async crash(): Promise<void> {
    await evictDurableObject(this.stub, { webSockets: "close" });
    await this.#standIn();
  }

  /** Opens a socket and says nothing. */
  async dial(name = "nobody"): Promise<WorkerClient> {
    const response = await this.stub.fetch("https://pool/channel", { headers: { Upgrade: "websocket" } });
    if (!response.webSocket) throw new Error(`No socket: ${response.status}`);
    return new WorkerClient(name, response.webSocket);
  }

  /** Connects a worker and waits for its welcome. */
  async connect(
    name: string,
    { limit = 1, queues = [], runs = [], prefetchMs = 0 }: ConnectOptions = {},
  ): Promise<WorkerClient> {
    const client = await this.dial(name);
    client.send({
      type: "hello",
      protocol: 1,
      worker_name: name,
      worker_type: "process",
      limit,
      work_queue_names: [...queues],
      prefetch_ms: prefetchMs,
      runs: [...runs],
    });
    await client.waitFor("welcome");
    return client;
  }

  /** Waits until the pool shows this. */
  async shows(what: string, look: (status: Awaited<ReturnType<Pool["status"]>>) => boolean): Promise<void> {
    await until(what, async () => look(await this.status()));
  }

  async status() {
    return this.stub.status();
  }

  async #standIn(): Promise<void> {
    await runInDurableObject(this.stub, (instance) => {
      instance.claimRun = this.owners.claim;
    });
  }
}
