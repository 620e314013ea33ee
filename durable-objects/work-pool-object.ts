/**
 * The object of a work pool: the runs that wait, the slots, and the workers that are connected. One per pool, named by
 * the pool's name.
 *
 * A push is a claim made on the worker's behalf. Whether a run may be claimed is decided by its owner alone, so a run
 * that is offered twice, or whose push was lost, is never executed twice: the second claim is answered with null. A
 * claim that comes to nothing here (its worker left meanwhile) is returned by the owner when the run's lease ends.
 *
 * What must last is written before it is told to anyone. A run that starts at once costs three written rows (held,
 * released by one side, released by the other); one that waits is stored as ready besides.
 *
 * It is long because every call of `WorkPoolOwner` and every frame of a worker comes in here; what they do is in the parts.
 */
import { DurableObject } from "cloudflare:workers";
import { SluiceError } from "#protocol/errors";
import { type FlowRunId, partitionOf } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { HTTP_POOL_TYPE, HTTP_TARGET } from "#protocol/push";
import { CHANNEL_PING, CHANNEL_PONG } from "#protocol/run-channel";
import { after, type EpochMs, ms } from "#protocol/time";
import type { Why } from "#protocol/why";
import {
  type PoolOffer,
  type RunTicket,
  WORKER_CHANNEL_PROTOCOL,
  type WorkerClientFrame,
  type WorkerServerFrame,
} from "#protocol/worker-channel";
import { clock } from "./clock.ts";
import { type ConnectedWorker, ConnectedWorkers } from "./connected-workers.ts";
import { ownerOf } from "./partition.ts";
import { PoolDispatcher } from "./pool-dispatcher.ts";
import { explainWait } from "./pool-explanation.ts";
import { markLateRuns } from "./pool-late-runs.ts";
import { PoolPushes } from "./pool-pushes.ts";
import { PoolQueues } from "./pool-queues.ts";
import { PoolReservations } from "./pool-reservations.ts";
import { PoolSlots } from "./pool-slots.ts";
import { PoolTakers, type Taker } from "./pool-takers.ts";
import { shownWorkers } from "./pool-workers-shown.ts";
import { PoolStore } from "./storage/pool-store.ts";
import type {
  Place,
  PolledClaim,
  PoolSettings,
  PoolStatus,
  PushMessage,
  PushNext,
  PushOrder,
  PushOutcome,
  SoonDue,
  WorkPoolOwner,
} from "./work-pool-owner.ts";
import { WorkerCopier } from "./worker-copier.ts";
import { bad, CLOSE, type Dismissal, notAWebSocket, readWorkerFrame, silentError, workerRow } from "./worker-frame.ts";

/** A worker that was not seen for this long is no longer listed. */
const WORKER_REMEMBERED_MS = 7 * 24 * 60 * 60 * 1000;
const COPY_RETRY_MS = 5_000;
/** Looking through all workers is put off for this long after it was done, or a thousand that connect would look a thousand times. */
const FORGET_EVERY_MS = 60 * 60 * 1000;
const SILENCE_EVERY_MS = 1_000;

/** An upgrade with this header is told "changed" after each change of the pool's settings, and nothing else. */
export const WATCH_HEADER = "x-sluice-watch";
const WATCHERS = "watchers";

type Hello = Extract<WorkerClientFrame, { type: "hello" }>;

export class WorkPoolObject extends DurableObject<Env> implements WorkPoolOwner {
  /** Asks the run's owner. A property, so that no other object can call it and a test can stand in for the owner. */
  claimRun = async (id: FlowRunId, worker: { readonly name: string }): Promise<RunTicket | null> =>
    (await ownerOf(this.env.FLOW_RUNS, id)?.claim(id, worker)) ?? null;

  /** Asks the run's owner whether a claim of a poller came about; see {@link claimRun}. */
  holdsClaim = async (id: FlowRunId, generation: number): Promise<boolean> =>
    (await ownerOf(this.env.FLOW_RUNS, id)?.holdsClaim(id, generation)) ?? false;
  /** Has the run's owner offer it again, if it waits; see {@link claimRun}. */
  offerAgain = async (id: FlowRunId): Promise<void> => ownerOf(this.env.FLOW_RUNS, id)?.offer(id);

  /** Has a claimed run pushed to the pool's URL; see {@link claimRun}. */
  sendPush = async (message: PushMessage): Promise<void> => void (await this.env.PUSHES_QUEUE.send(message));

  readonly #copier: WorkerCopier;
  #store: PoolStore;
  #slots: PoolSlots;
  #workers: ConnectedWorkers;
  #takers: PoolTakers;
  #pushes: PoolPushes;
  #dispatcher: PoolDispatcher;
  #reservations: PoolReservations;
  #queues = new PoolQueues([]);
  #settings: PoolSettings | null;
  /** When the alarm is set for, in real time; null when it is not set. */
  #alarmAt: number | null = null;
  /** When workers that were not seen for long were forgotten, and when silent ones were looked for. */
  #forgotAt = 0;
  #listenedAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(CHANNEL_PING, CHANNEL_PONG));
    this.#copier = new WorkerCopier(env.DB, ctx.id.name ?? "");
    this.#store = new PoolStore(ctx.storage);
    this.#settings = this.#store.settings();
    this.#slots = new PoolSlots(this.#store);
    this.#workers = new ConnectedWorkers(ctx, this.#store);
    this.#takers = new PoolTakers(this.#workers);
    this.#pushes = this.#makePushes();
    this.#dispatcher = this.#makeDispatcher();
    this.#reservations = this.#makeReservations();
    this.#applySettings();
    this.#missLostWorkers();
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  async offer({ ticket, due_at, queue }: PoolOffer): Promise<void> {
    const id = ticket.flow_run_id;
    if (partitionOf(id) === null) throw new RangeError(`Flow run id ${id} leads to no owner: it was not made here.`);
    this.#dismissSilent(clock.now());
    const current = this.#queues.current(queue);
    await this.#dispatcher.offer({
      id,
      queueName: current.name,
      queuePriority: current.priority,
      dueAt: due_at as EpochMs,
    });
  }

  async reserve(claim: PolledClaim): Promise<Place> {
    return this.#reservations.reserve(claim, this.#queues.current(claim.queue).name);
  }

  async offerSoon(runs: readonly SoonDue[]): Promise<void> {
    this.#dispatcher.offerSoon(
      runs.map(({ flowRunId: id, dueAt, queue }) => ({
        id,
        queueName: queue.name,
        queuePriority: queue.priority,
        dueAt,
      })),
    );
    this.#pump();
  }

  async withdraw(flowRunId: FlowRunId): Promise<void> {
    this.#dispatcher.withdraw(flowRunId);
  }

  async release(flowRunId: FlowRunId, generation?: number): Promise<void> {
    if (this.#takers.isPushed) this.#pushes.forget(flowRunId, generation);
    this.#slots.release(flowRunId, generation, (workerName) => this.#workers.get(workerName) !== undefined);
    this.#pump();
  }

  async nextPush(flowRunId: FlowRunId, generation: number): Promise<PushOrder | null> {
    return this.#pushes.next(flowRunId, generation);
  }

  async settlePush(flowRunId: FlowRunId, generation: number, outcome: PushOutcome): Promise<PushNext> {
    return this.#pushes.settle(flowRunId, generation, outcome);
  }

  async workerOnline(workerName: string, flowRunId?: FlowRunId): Promise<boolean> {
    if (workerName === HTTP_TARGET) {
      return flowRunId === undefined ? this.#takers.isPushed : this.#pushes.isUnderWay(flowRunId, clock.now());
    }
    const worker = this.#workers.get(workerName);
    if (worker === undefined || this.#workers.isSilent(worker, clock.now())) return false;
    return flowRunId === undefined || this.#slots.holderOf(flowRunId)?.workerName === workerName;
  }

  async kill(flowRunId: FlowRunId): Promise<boolean> {
    const run = this.#slots.holderOf(flowRunId);
    const worker = run && this.#workers.get(run.workerName);
    if (!run || !worker) return false;
    return this.#send(worker, { type: "kill", flow_run_id: flowRunId, generation: run.generation });
  }

  async status(): Promise<PoolStatus> {
    const now = clock.now();
    return {
      ready: this.#store.countReady(),
      claiming: this.#slots.claiming,
      held: this.#slots.poolUsed,
      workers: [...this.#shown(now).map(({ queueNames: _, ...worker }) => worker), ...this.#target(now)],
    };
  }

  async explain(flowRunId: FlowRunId): Promise<Why[]> {
    const now = clock.now();
    const view = {
      name: this.ctx.id.name ?? "",
      store: this.#store,
      slots: this.#slots,
      dispatcher: this.#dispatcher,
      queues: this.#queues,
      settings: this.#settings,
      workers: this.#shown(now),
      isPushed: this.#takers.isPushed,
      push: this.#takers.isPushed ? this.#pushes.explain(flowRunId) : null,
      now,
    };
    return explainWait(view, flowRunId);
  }

  async configure(settings: PoolSettings): Promise<void> {
    const template = JSON.stringify(settings.baseJobTemplate);
    const isNewTemplate = template !== JSON.stringify(this.#settings?.baseJobTemplate);
    if (JSON.stringify(settings) !== JSON.stringify(this.#settings)) {
      const changes = this.#queues.changesTo(settings.queues);
      this.#store.together(() => {
        this.#store.putSettings(settings);
        for (const { from, to } of changes) this.#store.changeQueue(from, to);
      });
      for (const { from, to } of changes) this.#slots.renameQueue(from, to.name);
    }
    this.#settings = settings;
    this.#applySettings();
    for (const watcher of this.ctx.getWebSockets(WATCHERS)) watcher.send("changed");
    // Before the pump: a run that it pushes is started by the template that holds now.
    if (isNewTemplate) {
      const frame = { type: "template", base_job_template: settings.baseJobTemplate } as const;
      for (const worker of [...this.#workers.all()]) this.#send(worker, frame);
    }
    this.#pump();
  }

  async remove(): Promise<void> {
    const error = new SluiceError("not_found", "The work pool was deleted.", {
      fix: "Start the worker for a work pool that exists.",
    });
    for (const watcher of this.ctx.getWebSockets(WATCHERS)) watcher.close(1000, "deleted");
    for (const worker of [...this.#workers.all()])
      this.#dismiss(worker.socket, { closeCode: CLOSE.poolDeleted, error });
    this.#dispatcher.close();
    await this.#copyWorkers();
    this.#alarmAt = null;
    await this.ctx.storage.deleteAll();
    this.#store = new PoolStore(this.ctx.storage);
    this.#settings = null;
    this.#slots = new PoolSlots(this.#store);
    this.#workers = new ConnectedWorkers(this.ctx, this.#store);
    this.#takers = new PoolTakers(this.#workers);
    this.#pushes = this.#makePushes();
    this.#dispatcher = this.#makeDispatcher();
    this.#reservations = this.#makeReservations();
    this.#applySettings();
  }

  /** The worker channel: a WebSocket, forwarded by the Worker's route. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
      return notAWebSocket();
    }
    const { 0: client, 1: server } = new WebSocketPair();
    if (request.headers.has(WATCH_HEADER)) this.ctx.acceptWebSocket(server, [WATCHERS]);
    else this.#workers.accept(server, clock.now());
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // What still arrives on a socket that is being closed is told again by the `hello` of the next one.
    if (socket.readyState !== WebSocket.OPEN || this.ctx.getTags(socket).includes(WATCHERS)) return;
    const now = clock.now();
    const read = readWorkerFrame(message);
    const worker = this.#workers.on(socket);
    if (read.kind === "bad") return this.#dismiss(socket, read.dismissal);
    const { frame } = read;
    if (frame.type === "hello") {
      if (worker)
        return this.#dismiss(socket, bad("A second hello arrived on one socket.", "Say hello once.").dismissal);
      return this.#hello(socket, frame, now);
    }
    if (!worker) {
      const { dismissal } = bad(`The frame "${frame.type}" arrived before hello.`, "Say hello first.");
      return this.#dismiss(socket, dismissal);
    }
    this.#workers.heard(socket, now);
    switch (frame.type) {
      case "released":
        this.#slots.releaseFromWorker(worker.row.name, frame.flow_run_id, frame.generation);
        return this.#pump();
      case "drain":
        return this.#workers.drain(worker);
      default:
        frame satisfies never;
    }
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#left(socket, clock.now());
    // A hibernatable socket's closing handshake is ours to finish; a client that is not answered waits for ten seconds.
    socket.close();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#left(socket, clock.now());
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = clock.now();
    this.#pump();
    const next = this.#dispatcher.nextWakeAt(now);
    if (next !== null) this.#wakeAt(next);
    const late = await markLateRuns(this.#store, now, async (id) => ownerOf(this.env.FLOW_RUNS, id)?.markLate(id));
    if (late !== null) this.#wakeAt(late);
    if (await this.#reservations.settle(now)) this.#pump();
    await this.#copyWorkers();
  }

  #makeDispatcher(): PoolDispatcher {
    return new PoolDispatcher({
      store: this.#store,
      slots: this.#slots,
      workers: this.#takers,
      claimRun: (id, worker) => this.claimRun(id, worker),
      push: (taker, ticket) => this.#push(taker, ticket),
      wakeAt: (at) => this.#wakeAt(at),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
  }

  #makePushes(): PoolPushes {
    return new PoolPushes({
      store: this.#store,
      poolName: this.ctx.id.name ?? "",
      enqueue: (message) => this.sendPush(message),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
  }

  #makeReservations(): PoolReservations {
    return new PoolReservations({
      store: this.#store,
      slots: this.#slots,
      dispatcher: this.#dispatcher,
      holdsClaim: (id, generation) => this.holdsClaim(id, generation),
      offerAgain: (id) => this.offerAgain(id),
      wakeAt: (at) => this.#wakeAt(at),
      poolName: this.ctx.id.name ?? "",
    });
  }

  #applySettings(): void {
    // Settings that an earlier version stored name no queues.
    this.#queues = new PoolQueues(this.#settings?.queues ?? []);
    this.#workers.silentAfterMs = SPANS.missedHeartbeats * this.#heartbeatMs;
    const { isPaused = false, concurrencyLimit = null, isPushed = false } = this.#settings ?? {};
    this.#takers.isPushed = isPushed;
    this.#dispatcher.configure(isPaused, concurrencyLimit, this.#queues);
  }

  #hello(socket: WebSocket, frame: Hello, now: EpochMs): void {
    const row = workerRow(frame, this.#store.worker(frame.worker_name), now);
    const forgets = now - this.#forgotAt >= FORGET_EVERY_MS;
    if (forgets) this.#forgotAt = now;
    this.#store.together(() => {
      if (forgets) this.#store.deleteWorkersUnseenSince((now - WORKER_REMEMBERED_MS) as EpochMs);
      this.#store.putWorker(row);
    });
    this.#slots.workerHas(
      row.name,
      frame.runs.map(({ flow_run_id: id, generation }) => ({ id, generation })),
      now,
    );
    const replaced = this.#workers.join(socket, row);
    if (replaced) {
      const error = new SluiceError("conflict", `Another connection of worker "${row.name}" took this one's place.`, {
        fix: "Give each worker of a pool a name of its own.",
      });
      this.#dismiss(replaced.socket, { closeCode: CLOSE.replaced, error });
    }
    const worker = this.#workers.get(row.name);
    if (!worker) return;
    this.#send(worker, {
      type: "welcome",
      protocol: WORKER_CHANNEL_PROTOCOL,
      worker_id: row.id,
      heartbeat_interval_ms: this.#heartbeatMs,
      base_job_template: this.#settings?.baseJobTemplate ?? {},
    });
    this.ctx.waitUntil(this.#copyWorkers());
    this.#pump();
    // It may take runs earlier than those who were here before.
    const next = row.prefetchMs > 0 ? this.#dispatcher.nextWakeAt(now) : null;
    if (next !== null) this.#wakeAt(next);
  }

  /** Starts what can be started. */
  #pump(): void {
    this.#dismissSilent(clock.now());
    this.#dispatcher.pump();
  }

  get #heartbeatMs(): number {
    return this.#settings?.heartbeatIntervalMs ?? Number(this.env.SLUICE_HEARTBEAT_MS);
  }

  /** Sends a run that is held. A worker that cannot be sent to never had it. */
  #push({ row: { name } }: Taker, ticket: RunTicket): void {
    if (this.#takers.isPushed) {
      this.#pushes.begin(ticket);
      return;
    }
    const worker = this.#workers.get(name);
    if (worker && this.#send(worker, { type: "run", ticket })) return;
    this.#slots.releaseFromWorker(name, ticket.flow_run_id, ticket.generation);
  }

  /** False when the socket takes nothing more; its worker is then gone. */
  #send(worker: ConnectedWorker, frame: WorkerServerFrame): boolean {
    try {
      worker.socket.send(JSON.stringify(frame));
      return true;
    } catch {
      this.#left(worker.socket, clock.now());
      return false;
    }
  }

  /** Says why, and closes. */
  #dismiss(socket: WebSocket, { closeCode, error }: Dismissal): void {
    this.#left(socket, clock.now());
    const { code, message, fix } = error;
    const frame: WorkerServerFrame = { type: "error", code, message, fix };
    try {
      socket.send(JSON.stringify(frame));
      socket.close(closeCode, code);
    } catch {
      // The socket is closed already, which is what was wanted.
    }
  }

  /** Closes sockets that missed three heartbeats: a worker that is alive notices, and connects again. */
  #dismissSilent(now: EpochMs): void {
    // Nobody who is silent is given a run meanwhile: that is looked at for each.
    if (Math.abs(now - this.#listenedAt) < SILENCE_EVERY_MS) return;
    this.#listenedAt = now;
    const sockets = this.#workers.silent(now);
    if (sockets.length === 0) return;
    const error = silentError(this.#workers.silentAfterMs, this.#heartbeatMs);
    for (const socket of sockets) this.#dismiss(socket, { closeCode: CLOSE.silent, error });
  }

  /** The worker on this socket, if it was not replaced, is not connected any more. */
  #left(socket: WebSocket, now: EpochMs): void {
    const worker = this.#workers.on(socket);
    const lastSeenAt = worker && this.#workers.lastSeenAt(worker);
    this.#workers.leave(socket, now);
    if (!worker || lastSeenAt === undefined) return;
    this.#slots.workerLeft(worker.row.name);
    this.#store.putWorker({ ...worker.row, isOnline: false, lastSeenAt });
    this.ctx.waitUntil(this.#copyWorkers());
  }

  /** After a restart: sockets do not survive it, and nobody told of their end. */
  #missLostWorkers(): void {
    const isLost = (name: string) => this.#workers.get(name) === undefined;
    for (const row of this.#store.workers()) {
      if (row.isOnline && isLost(row.name)) this.#store.putWorker({ ...row, isOnline: false });
    }
    for (const name of this.#slots.workerNames()) if (isLost(name)) this.#slots.workerLeft(name);
    if (this.#store.uncopiedWorkers().length > 0) this.ctx.waitUntil(this.#copyWorkers());
  }

  #shown(now: EpochMs) {
    return shownWorkers({ store: this.#store, workers: this.#workers, slots: this.#slots }, now);
  }

  /** The target of a pool that pushes, shown as a worker that is always there. */
  #target(now: EpochMs): PoolStatus["workers"][number][] {
    if (!this.#takers.isPushed) return [];
    const seen = { connectedAt: now, lastSeenAt: now };
    const limit = this.#settings?.concurrencyLimit ?? Number.MAX_SAFE_INTEGER;
    const active = this.#slots.poolUsed;
    return [{ name: HTTP_TARGET, type: HTTP_POOL_TYPE, limit, active, online: true, draining: false, ...seen }];
  }

  /** Sets the alarm, unless it is set for an earlier time. */
  #wakeAt(at: EpochMs): void {
    const whole = Math.ceil(at);
    if (this.#alarmAt !== null && this.#alarmAt <= whole) return;
    this.#alarmAt = whole;
    void this.ctx.storage.setAlarm(whole);
  }

  /** A fault of D1 delays the copy and nothing else. */
  async #copyWorkers(): Promise<void> {
    const isCopied = await this.#copier.flush(this.#store, this.#heartbeatMs);
    if (!isCopied) this.#wakeAt(after(clock.now(), ms(COPY_RETRY_MS)));
  }
}
