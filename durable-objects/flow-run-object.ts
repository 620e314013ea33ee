/**
 * Owns the flow runs of one partition: their states, task runs, logs and leases. Each method gathers facts, has the
 * machine decide, and stores state and consequences in one synchronous transaction; effects and copies follow.
 *
 * It is long because every call of `FlowRunOwner` stands here, a few lines each; what they do is in the parts.
 */
import { DurableObject } from "cloudflare:workers";
import { notFound } from "#protocol/errors";
import type { FlowRunInput, FlowRunInputCreate, FlowRunInputQuery } from "#protocol/flow-run-inputs";
import type { FlowRun, FlowRunUpdate, JsonObject, Labels } from "#protocol/flow-runs";
import type { FlowRunId, StateId, TaskRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { Log, LogCreate } from "#protocol/logs";
import {
  CHANNEL_PING,
  CHANNEL_PONG,
  type RunClientFrame,
  type RunServerFrame,
  type TaskReport,
} from "#protocol/run-channel";
import { isTerminal, type OrchestrationResult, type State, StateCreate } from "#protocol/states";
import type { TaskRun, TaskRunCreate, TaskRunUpdate } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import { clock } from "./clock.ts";
import { Copier } from "./copier.ts";
import { Deadlines } from "./deadlines.ts";
import { EventEmitter } from "./event-emitter.ts";
import { EVENT_HUB } from "./event-hub-object.ts";
import { flowRunDocument, withEstimates } from "./flow-run-document.ts";
import type { FlowRunOwner, LogQuery, NewFlowRun } from "./flow-run-owner.ts";
import { GroupCommit } from "./group-commit.ts";
import { Heartbeats } from "./heartbeats.ts";
import { LOG_HUB } from "./log-hub-object.ts";
import { readLogs } from "./log-lines.ts";
import { LogStream } from "./log-stream.ts";
import type { TaskProposal } from "./owned-task.ts";
import { ownerOf, PartitionIds } from "./partition.ts";
import { Performer, standingEffects } from "./perform.ts";
import { ReportRecorder } from "./report-recorder.ts";
import { NOTHING_DEMANDED, reserve } from "./reserve.ts";
import { ResourceNames } from "./resource-names.ts";
import { resume } from "./resume.ts";
import { answerFrame, type ChannelOwner, type ChannelPeer, parseFrame, unknownRun } from "./run-channel-session.ts";
import { RunRecorder } from "./run-recorder.ts";
import { RunStream, watchedRun } from "./run-stream.ts";
import { Sequence } from "./sequence.ts";
import { stateDeadline } from "./state-deadlines.ts";
import { deleteCopies, writeCopies } from "./storage/flow-run-copy.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import { type DeadlineRow, RUN_SCHEMA, type RunRow, RunStore } from "./storage/run-store.ts";
import { deleteTaskTraces } from "./task-outbox.ts";
import { TaskRecorder } from "./task-recorder.ts";

const DEFAULT_HEARTBEAT_MS = 10_000;
const RETRY = StateCreate.parse({ type: "SCHEDULED", name: "AwaitingRetry", message: "Retried by request." });
/** Expired runs that one commit removes: each may have thousands of log lines. */
const REMOVED_TOGETHER = 5;

/** The parts that exist once the object owns its first run. */
interface Parts extends ChannelOwner {
  readonly store: RunStore;
  readonly ids: PartitionIds;
  readonly copier: Copier;
  readonly performer: Performer;
  readonly deadlines: Deadlines;
  readonly heartbeats: Heartbeats;
  readonly logStream: LogStream;
  readonly runStream: RunStream;
  readonly tasks: TaskRecorder;
}

export class FlowRunObject extends DurableObject<Env> implements FlowRunOwner {
  readonly #heartbeatMs: number;
  /** When each run last said something that is not a heartbeat; lost with the object's memory, and missed by nobody. */
  readonly #seenAt = new Map<FlowRunId, EpochMs>();
  /** Null until the first run is made: an object that is asked for unknown ids writes nothing. */
  #parts: Parts | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#heartbeatMs = Number(env.SLUICE_HEARTBEAT_MS) || DEFAULT_HEARTBEAT_MS;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(CHANNEL_PING, CHANNEL_PONG));
    if (!isUntouched(ctx.storage)) this.#open();
  }

  async create(run: NewFlowRun): Promise<{ run: FlowRun; created: boolean }> {
    const parts = this.#parts ?? this.#open();
    const outcome = await parts.commit.run(() => parts.recorder.create(run));
    if (outcome.created) {
      this.#arm();
      await parts.copier.copied(run.id, outcome.seq, SPANS.copyWaitMs);
    }
    const document = parts.document(run.id);
    if (document === null) throw new Error(`Flow run ${run.id} was deleted while it was made.`);
    return { run: document, created: outcome.created };
  }

  async read(id: FlowRunId): Promise<FlowRun | null> {
    return this.#parts?.document(id) ?? null;
  }

  async setState(
    id: FlowRunId,
    proposal: { readonly state: StateCreate; readonly force: boolean },
  ): Promise<{ result: OrchestrationResult; written: boolean } | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const reservation = await reserve(id, proposal.state);
    const outcome = await parts.commit.run(() => parts.recorder.propose(id, proposal, reservation));
    this.#arm();
    return outcome;
  }

  async resume(id: FlowRunId, input: JsonObject | null): Promise<OrchestrationResult | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const result = await parts.commit.run(() => resume(parts, id, input));
    this.#arm();
    return result;
  }

  async retry(id: FlowRunId, from: TaskRunId | null): Promise<"scheduled" | "not ended" | "unknown task"> {
    const parts = this.#parts;
    if (!parts) return "not ended";
    const outcome = await parts.commit.run(() => {
      if (!isTerminal(parts.store.run(id)?.record.state?.type)) return "not ended";
      if (from !== null && !parts.reports.rerunTasks(id, from)) return "unknown task";
      parts.recorder.propose(id, { state: RETRY, force: true }, NOTHING_DEMANDED);
      return "scheduled";
    });
    this.#arm();
    return outcome;
  }

  async state(id: StateId): Promise<State | null> {
    return this.#parts?.store.stateById(id) ?? null;
  }

  async update(id: FlowRunId, patch: FlowRunUpdate): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const outcome = await parts.commit.run(() => parts.recorder.update(id, patch));
    this.#arm();
    return outcome !== null;
  }

  async addLabels(id: FlowRunId, labels: Labels): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const isKnown = await parts.commit.run(() => parts.recorder.addLabels(id, labels));
    this.#arm();
    return isKnown;
  }

  async putInput(id: FlowRunId, input: FlowRunInputCreate): Promise<"stored" | "unknown run" | "key taken"> {
    const parts = this.#parts;
    return parts ? parts.commit.run(() => parts.reports.putInput(id, input)) : "unknown run";
  }

  async input(id: FlowRunId, key: string): Promise<FlowRunInput | null> {
    return this.#parts?.store.input(id, key) ?? null;
  }

  async inputs(id: FlowRunId, query: FlowRunInputQuery): Promise<FlowRunInput[]> {
    const excluded = new Set(query.exclude_keys ?? []);
    const found = this.#parts?.store.inputs(id) ?? [];
    return found
      .filter(({ key }) => key.startsWith(query.prefix) && !excluded.has(key))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, query.limit ?? 1);
  }

  async removeInput(id: FlowRunId, key: string): Promise<boolean> {
    const parts = this.#parts;
    if (!parts?.store.input(id, key)) return false;
    await parts.commit.run(() => parts.store.deleteInput(id, key));
    return true;
  }

  async remove(id: FlowRunId): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const spec = parts.store.spec(id);
    const row = await parts.commit.run(() => parts.recorder.remove(id));
    if (row === null) return false;
    parts.logStream.forget(id);
    for (const socket of this.ctx.getWebSockets(id)) socket.close(4404, "The flow run was deleted.");
    parts.runStream.deleted(id);
    await deleteCopies(this.env.DB, id);
    if (spec?.placement) {
      const pool = this.env.WORK_POOLS.getByName(spec.placement.poolName);
      await pool.withdraw(id);
      await pool.release(id, row.claims);
    }
    return true;
  }

  async removeEnded(ids: readonly FlowRunId[], endedBefore: EpochMs): Promise<FlowRunId[]> {
    const parts = this.#parts;
    if (!parts) return [...ids];
    const gone: FlowRunId[] = [];
    for (let at = 0; at < ids.length; at += REMOVED_TOGETHER) {
      // One commit for a few runs; between them other requests have their turn.
      const some = ids.slice(at, at + REMOVED_TOGETHER);
      const outcomes = await Promise.all(
        some.map((id) => parts.commit.run(() => parts.recorder.removeEnded(id, endedBefore))),
      );
      gone.push(...some.filter((_, index) => outcomes[index] === true));
    }
    this.#arm();
    return gone;
  }

  async states(id: FlowRunId): Promise<State[] | null> {
    const row = this.#parts?.store.run(id);
    return row ? (this.#parts?.store.states(row.states) ?? null) : null;
  }

  async taskRuns(id: FlowRunId): Promise<TaskRun[]> {
    const now = clock.now();
    const tasks = this.#parts?.store.tasks(id).map((row) => withEstimates(row.task, now)) ?? [];
    return tasks.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async taskRun(id: FlowRunId, taskRunId: TaskRunId): Promise<{ task: TaskRun; states: State[] } | null> {
    const row = this.#parts?.store.taskById(id, taskRunId);
    return row ? { task: withEstimates(row.task, clock.now()), states: [...row.states] } : null;
  }

  async createTask(
    id: FlowRunId,
    request: TaskRunCreate,
    taskRunId: TaskRunId,
  ): Promise<{ task: TaskRun; outcome: "created" | "known" | "id taken" } | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const made = await parts.commit.run(() => parts.tasks.create(id, request, taskRunId));
    this.#arm();
    // A child run finds its parent through the copy, so it is there before the answer.
    if (made?.outcome === "created") await writeCopies(this.env.DB, [], [made.row]);
    return made && { task: withEstimates(made.row.task, clock.now()), outcome: made.outcome };
  }

  async setTaskState(
    id: FlowRunId,
    taskRunId: TaskRunId,
    proposal: TaskProposal,
  ): Promise<{ result: OrchestrationResult; written: boolean } | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const outcome = await parts.commit.run(() => parts.tasks.propose(id, taskRunId, proposal));
    this.#arm();
    return outcome;
  }

  async updateTask(id: FlowRunId, taskRunId: TaskRunId, patch: TaskRunUpdate): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const isKnown = await parts.commit.run(() => parts.tasks.update(id, taskRunId, patch));
    this.#arm();
    return isKnown;
  }

  async removeTask(id: FlowRunId, taskRunId: TaskRunId): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const row = await parts.commit.run(() => parts.tasks.remove(id, taskRunId));
    if (row) await deleteTaskTraces(this.env, row);
    return row !== null;
  }

  async taskState(id: FlowRunId, stateId: StateId): Promise<State | null> {
    return this.#parts?.tasks.stateOf(id, stateId) ?? null;
  }

  async recordTasks(id: FlowRunId, reports: readonly TaskReport[]): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    const isKnown = await parts.commit.run(() => parts.reports.recordTasks(id, reports));
    this.#arm();
    return isKnown;
  }

  async appendLogs(id: FlowRunId, logs: readonly LogCreate[]): Promise<boolean> {
    const parts = this.#parts;
    return parts ? parts.commit.run(() => parts.reports.appendLogs(id, logs)) : false;
  }

  async heartbeat(id: FlowRunId, occurredAt: EpochMs): Promise<boolean> {
    const parts = this.#parts;
    if (!parts) return false;
    parts.seen(id);
    const isKnown = await parts.commit.run(() => parts.recorder.heartbeat(id, occurredAt));
    this.#arm();
    return isKnown;
  }

  async streamLogs(id: FlowRunId | null): Promise<void> {
    // Who listens to every run waits for runs that are yet to come; of an unknown run there will be no lines.
    const parts = this.#parts ?? (id === null ? this.#open() : null);
    if (parts && (id === null || parts.row(id))) await parts.commit.run(() => parts.logStream.start(id));
  }

  async logs(id: FlowRunId, query: LogQuery): Promise<Log[]> {
    return this.#parts ? readLogs(this.#parts.store.logs(id), this.#parts.ids, query) : [];
  }

  async offer(id: FlowRunId): Promise<void> {
    const row = this.#parts?.store.run(id);
    const effect = row && standingEffects(row).find(({ kind }) => kind === "offer");
    if (row && effect) await this.#parts?.performer.perform(id, effect, row.claims);
  }

  async claim(id: FlowRunId, worker: { readonly name: string }): Promise<RunTicket | null> {
    const parts = this.#parts;
    if (!parts) return null;
    const ticket = await parts.commit.run(() => parts.recorder.claim(id, worker));
    this.#arm();
    return ticket;
  }

  /** Shows a child run's state on the task run that stands for it; called by the owner of the child. */
  async mirrorState(id: FlowRunId, taskRunId: TaskRunId, childId: FlowRunId, state: State): Promise<void> {
    const parts = this.#parts;
    await parts?.commit.run(() => parts.reports.mirrorState(id, taskRunId, childId, state));
    this.#arm();
  }

  async markLate(id: FlowRunId): Promise<void> {
    const parts = this.#parts;
    await parts?.commit.run(() => parts.recorder.markLate(id));
    this.#arm();
  }

  async cancelWithParent(id: FlowRunId): Promise<void> {
    const parts = this.#parts;
    await parts?.commit.run(() => parts.recorder.cancelWithParent(id));
    this.#arm();
  }

  async frames(id: FlowRunId, frames: readonly RunClientFrame[]): Promise<RunServerFrame[]> {
    const parts = this.#parts;
    if (!parts) return [...unknownRun(id).frames];
    const answers: RunServerFrame[] = [];
    let peer: ChannelPeer | null = null;
    for (const frame of frames) {
      const answer = await answerFrame(parts, id, peer, frame);
      answers.push(...answer.frames);
      peer = answer.peer;
      if (peer === null) break;
    }
    this.#arm();
    return answers;
  }

  override async fetch(request: Request): Promise<Response> {
    const id = request.headers.get("x-sluice-flow-run-id") as FlowRunId | null;
    if (id === null || request.headers.get("upgrade") !== "websocket") {
      return new Response("A run channel is opened by a WebSocket upgrade.", { status: 426 });
    }
    if (request.headers.has("x-sluice-stream")) {
      const unknown = notFound("Flow run", id);
      return this.#parts?.runStream.open(id) ?? Response.json(unknown.toBody(), { status: unknown.status });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [id]);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // Who watches has nothing to say.
    if (watchedRun(this.ctx, socket)) return;
    const id = this.ctx.getTags(socket)[0] as FlowRunId;
    const parts = this.#parts;
    const frame = typeof message === "string" ? parseFrame(message) : "Binary frames are not part of the protocol.";
    if (typeof frame === "string" || !parts) {
      const reason = typeof frame === "string" ? frame : `Flow run ${id} does not exist.`;
      socket.send(
        JSON.stringify({ type: "error", code: "bad_frame", message: reason, fix: "See protocol/run-channel.ts." }),
      );
      socket.close(4400, reason.slice(0, 120));
      return;
    }
    const peer = socket.deserializeAttachment() as ChannelPeer | null;
    const answer = await answerFrame(parts, id, peer, frame);
    for (const answerFrame of answer.frames) socket.send(JSON.stringify(answerFrame));
    if (answer.peer === null) socket.close(4409, "See the last frame.");
    else if (peer === null) {
      socket.serializeAttachment(answer.peer);
      this.#supersede(socket, answer.peer);
    }
    this.#arm();
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#left(socket);
    // A hibernatable socket's closing handshake is ours to finish; a client that is not answered waits for ten seconds.
    socket.close();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#left(socket);
  }

  /** The deadline of the run goes on; a process that comes back within it has lost nothing. */
  #left(socket: WebSocket): void {
    const watched = watchedRun(this.ctx, socket);
    const id = this.ctx.getTags(socket)[0] as FlowRunId | undefined;
    if (watched) this.#parts?.runStream.closed(watched);
    else if (id) this.#parts?.seen(id);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const parts = this.#parts;
    if (!parts) return;
    const now = clock.now();
    for (const row of parts.deadlines.due(now)) {
      try {
        await this.#passed(parts, row, now);
      } catch (error) {
        // One run's trouble must not keep the others' deadlines waiting; this one is looked at again.
        console.warn(`The deadline of flow run ${row.runId} could not be handled; it is tried again.`, error);
        parts.deadlines.extend(row.runId, (now + 1_000) as EpochMs);
      }
    }
    await parts.commit.run(() => parts.recorder.beforeCommit(true));
    this.#arm();
  }

  /** Looks at a deadline that has passed: a sign of life moves it, otherwise it is acted on. */
  async #passed(parts: Parts, row: DeadlineRow, now: EpochMs): Promise<void> {
    if (row.kind === "claim") {
      await this.#claimPassed(parts, row, now);
      return;
    }
    const isBeating = row.kind === "beating";
    const termMs = isBeating ? parts.heartbeats.termMs(row.runId) : SPANS.missedHeartbeats * this.#heartbeatMs;
    if (row.kind !== "alive" && row.kind !== "beating") {
      const { kind } = row;
      // Late is what the clock says; the others may only pass while somebody could have ended the state.
      const acts = () => kind === "late" || parts.deadlines.mayAct(row, now, termMs);
      await parts.commit.run(() => acts() && parts.recorder.endState(row.runId, kind));
      return;
    }
    const record = parts.store.run(row.runId)?.record;
    const deadline = record ? stateDeadline(record) : null;
    if (deadline !== null && deadline.dueAt <= now) {
      await parts.commit.run(() => parts.recorder.endState(row.runId, deadline.kind));
    }
    const lastSeen = this.#lastSeen(row.runId);
    if (lastSeen !== null && lastSeen + termMs > now) {
      parts.deadlines.extend(row.runId, (lastSeen + termMs) as EpochMs);
      return;
    }
    const isLost = await parts.commit.run(() => {
      const acts = parts.deadlines.mayAct(row, now, termMs);
      if (acts) parts.recorder.declareLost(row.runId, lastSeen === null ? termMs : now - lastSeen);
      return acts;
    });
    // A process that hangs without a heartbeat still occupies its worker.
    const poolName = isLost ? parts.store.spec(row.runId)?.placement?.poolName : undefined;
    if (poolName !== undefined) await this.env.WORK_POOLS.getByName(poolName).kill(row.runId);
  }

  async #claimPassed(parts: Parts, row: DeadlineRow, now: EpochMs): Promise<void> {
    const lease = parts.store.run(row.runId)?.lease;
    const placement = parts.store.spec(row.runId)?.placement;
    if (!lease || !placement) {
      await parts.commit.run(() => parts.deadlines.unwatch(row.runId));
      return;
    }
    const online = await this.env.WORK_POOLS.getByName(placement.poolName).workerOnline(lease.holder, row.runId);
    await parts.commit.run(() => {
      if (online) parts.recorder.extendClaim(row.runId, lease.generation);
      else if (parts.deadlines.mayAct(row, now, SPANS.missedHeartbeats * this.#heartbeatMs)) {
        const reason = `Worker "${lease.holder}" claimed it and went away before it started.`;
        parts.recorder.giveBack(row.runId, lease.generation, reason);
      }
    });
  }

  /** The last sign of life of a run's process, heartbeats included; null when none is known. */
  #lastSeen(id: FlowRunId): EpochMs | null {
    let last: number | null = this.#seenAt.get(id) ?? null;
    for (const socket of this.ctx.getWebSockets(id)) {
      const beat = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? null;
      if (beat !== null && (last === null || beat > last)) last = beat;
    }
    return last as EpochMs | null;
  }

  /** A process that connects again replaces its older socket: a half-open one would answer for it. */
  #supersede(socket: WebSocket, peer: ChannelPeer): void {
    for (const other of this.ctx.getWebSockets(peer.flowRunId)) {
      if (other === socket) continue;
      const known = other.deserializeAttachment() as ChannelPeer | null;
      if (known?.session === peer.session) other.close(4001, "The process has connected again.");
    }
  }

  #tellProcess(id: FlowRunId, action: "cancel" | "suspend", state: State): void {
    for (const socket of this.ctx.getWebSockets(id)) {
      if (socket.deserializeAttachment() === null) continue;
      socket.send(JSON.stringify({ type: "control", action, state } satisfies RunServerFrame));
    }
  }

  async #cancelChildren(id: FlowRunId): Promise<void> {
    const parts = this.#parts;
    const children = (await parts?.commit.run(() => parts.reports.cancelTasks(id))) ?? [];
    await Promise.all(children.map((child) => ownerOf(this.env.FLOW_RUNS, child)?.cancelWithParent(child)));
  }

  #open(): Parts {
    const { ctx, env } = this;
    migrate(ctx.storage, RUN_SCHEMA);
    const name = ctx.id.name;
    if (name === undefined) throw new Error("An object that owns flow runs is reached by its partition's name.");
    const store = new RunStore(ctx.storage);
    const ids = new PartitionIds(name);
    const document = (id: FlowRunId): FlowRun | null => {
      const row = store.run(id);
      const spec = store.spec(id);
      return row && spec ? flowRunDocument(id, spec, row, clock.now()) : null;
    };
    const runStream = new RunStream({ ctx, store, ids, document });
    const copier = new Copier(env.DB, {
      noted: runStream,
      flowRun: (id) => {
        const row = store.run(id);
        const run = document(id);
        return row && run ? { version: row.version, run } : null;
      },
      taskRun: (id, taskKey, dynamicKey) => store.task(id, taskKey, dynamicKey),
    });
    const now = () => clock.now();
    const emitter = new EventEmitter({
      names: new ResourceNames(env.DB, now),
      spec: (step) => store.spec(step.id),
      publish: (events) => env.EVENT_HUBS.getByName(EVENT_HUB).publish(events),
    });
    const performer = new Performer({
      env,
      store,
      emitter,
      tellProcess: (id, action, state) => this.#tellProcess(id, action, state),
      cancelChildren: (id) => this.#cancelChildren(id),
    });
    const deadlines = new Deadlines(store, clock.now());
    const heartbeats = new Heartbeats();
    const sequence = new Sequence(store);
    const logStream = new LogStream({
      store,
      ids,
      publish: (lines) => env.LOG_HUBS.getByName(LOG_HUB).publish(lines),
    });
    const reports = new ReportRecorder({ store, ids, copier, logStream, runStream, sequence, now });
    const recorder = new RunRecorder({
      store,
      ids,
      copier,
      performer,
      deadlines,
      heartbeats,
      reports,
      sequence,
      now,
      heartbeatMs: this.#heartbeatMs,
    });
    const commit = new GroupCommit(
      ctx.storage,
      () => recorder.beforeCommit(),
      () => {
        store.forgetParsed();
        reports.forgetMemory();
      },
    );
    const parts: Parts = {
      store,
      ids,
      copier,
      performer,
      deadlines,
      heartbeats,
      logStream,
      recorder,
      reports,
      tasks: new TaskRecorder({
        env,
        store,
        ids,
        copier,
        performer,
        reports,
        now,
        commit: (job) => commit.run(job),
      }),
      commit,
      heartbeatMs: this.#heartbeatMs,
      row: (id) => store.run(id),
      document,
      runStream,
      seen: (id) => {
        this.#seenAt.set(id, clock.now());
      },
    };
    this.#parts = parts;
    deadlines.load();
    this.#resume(parts);
    return parts;
  }

  /** Copies and performs again what an earlier life of this object may have left undone. */
  #resume({ store, recorder, reports, tasks, copier, performer, deadlines }: Parts): void {
    const changed = new Set(store.changedAfter(recorder.watermark));
    const marks = new Set(store.marksAfter(recorder.watermark));
    // A run in progress may have task runs that were stored without an entry in the journal.
    for (const id of deadlines.runIds()) changed.add(id);
    for (const id of changed) {
      const row: RunRow | null = store.run(id);
      if (row === null) continue;
      for (const seq of row.states) marks.delete(seq);
      copier.markRun(id, row.version, false, 0);
      for (const task of store.tasks(id)) {
        copier.markTask(id, task.task.task_key, task.task.dynamic_key, task.version, true);
        tasks.resume(id, task);
      }
      performer.add(id, row.version, standingEffects(row), row.claims);
      for (const { seq, from, to } of store.stepsAfter(row.states, recorder.watermark)) {
        performer.add(id, seq, [{ kind: "event", from, to, runCount: row.record.runCount }], row.claims);
      }
    }
    reports.adoptMarks([...marks]);
  }

  /** Makes sure that an alarm comes no later than the next thing to look at. */
  #arm(): void {
    const parts = this.#parts;
    if (!parts) return;
    let next: number | null = parts.deadlines.nextDueAt();
    if (!parts.copier.isIdle || !parts.performer.isIdle) {
      const safety = clock.now() + SPANS.safetyAlarmMs;
      next = next === null ? safety : Math.min(next, safety);
    }
    if (next === null || (this.#alarmAt !== null && this.#alarmAt <= next)) return;
    this.#alarmAt = next;
    void this.ctx.storage.setAlarm(next);
  }
}
