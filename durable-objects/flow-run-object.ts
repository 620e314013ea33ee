/**
 * Owns the flow runs of one partition: their states, task runs, logs and leases. Each method gathers facts, has the
 * machine decide, and stores state and consequences in one synchronous transaction; effects and copies follow.
 *
 * It is long because every call of `FlowRunOwner` stands here, a few lines each; what they do is in the parts.
 */
import { DurableObject } from "cloudflare:workers";
import { isInHand, usesSlot } from "#machine/occupancy";
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
import { type EpochMs, fromWireTime } from "#protocol/time";
import type { RunTicket } from "#protocol/worker-channel";
import { clock } from "./clock.ts";
import { withEstimates } from "./flow-run-document.ts";
import type { FlowRunOwner, LogQuery, NewFlowRun, RunsToRemove } from "./flow-run-owner.ts";
import { readLogs } from "./log-lines.ts";
import type { TaskProposal } from "./owned-task.ts";
import { ownerOf } from "./partition.ts";
import { PassedDeadlines } from "./passed-deadlines.ts";
import { standingEffects } from "./perform.ts";
import { resume } from "./resume.ts";
import { answerFrame, type ChannelPeer, parseFrame, unknownRun } from "./run-channel-session.ts";
import { openParts, type RunParts } from "./run-parts.ts";
import { removeRuns } from "./run-removal.ts";
import { RunSockets } from "./run-sockets.ts";
import { type RunStanding, standingOf } from "./run-standing.ts";
import { type Hidden, watchedRun } from "./run-stream.ts";
import { makeRunToken, TOKEN_AFTER_END_MS } from "./run-token.ts";
import { heldBack } from "./schedule-gate.ts";
import { readDormant, takeDormant } from "./storage/dormant-runs.ts";
import { writeCopies } from "./storage/flow-run-copy.ts";
import { isUntouched } from "./storage/migrate.ts";
import { deleteTaskTraces } from "./task-outbox.ts";
import { expiredInstead } from "./time-to-live.ts";

const DEFAULT_HEARTBEAT_MS = 10_000;
const RETRY = StateCreate.parse({ type: "SCHEDULED", name: "AwaitingRetry", message: "Retried by request." });

export class FlowRunObject extends DurableObject<Env> implements FlowRunOwner {
  readonly #sockets: RunSockets;
  /** Null until the first run is made: an object that is asked for unknown ids writes nothing. */
  #parts: RunParts | null = null;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sockets = new RunSockets(ctx);
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
    const known = this.#parts?.document(id) ?? null;
    if (known !== null) return known;
    const dormant = await readDormant(this.env.DB, id);
    return dormant && withEstimates(dormant, clock.now());
  }

  async wake(ids: readonly FlowRunId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#awake(id)));
    this.#arm();
  }

  async setState(
    id: FlowRunId,
    proposal: { readonly state: StateCreate; readonly force: boolean },
  ): Promise<{ result: OrchestrationResult; written: boolean } | null> {
    const parts = await this.#awake(id);
    if (!parts) return null;
    if (proposal.state.type === "PENDING" && !proposal.force) {
      const instead = await this.#insteadOfClaim(parts, id);
      if (instead !== null) return this.#holdBack(parts, id, instead);
    }
    const outcome = await parts.places.propose(id, proposal, (asked) => parts.recorder.propose(id, proposal, asked));
    this.#arm();
    return outcome;
  }

  async resume(id: FlowRunId, input: JsonObject | null): Promise<OrchestrationResult | null> {
    const parts = await this.#awake(id);
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
      parts.recorder.propose(id, { state: RETRY, force: true });
      return "scheduled";
    });
    this.#arm();
    return outcome;
  }

  async state(id: StateId): Promise<State | null> {
    return this.#parts?.store.stateById(id) ?? null;
  }

  async update(id: FlowRunId, patch: FlowRunUpdate): Promise<boolean> {
    const parts = await this.#awake(id);
    if (!parts) return false;
    const outcome = await parts.commit.run(() => parts.recorder.update(id, patch));
    this.#arm();
    return outcome !== null;
  }

  async addLabels(id: FlowRunId, labels: Labels): Promise<boolean> {
    const parts = await this.#awake(id);
    if (!parts) return false;
    const isKnown = await parts.commit.run(() => parts.recorder.addLabels(id, labels));
    this.#arm();
    return isKnown;
  }

  async putInput(id: FlowRunId, input: FlowRunInputCreate): Promise<"stored" | "unknown run" | "key taken"> {
    const parts = await this.#awake(id);
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

  async remove(ids: readonly FlowRunId[], which: RunsToRemove): Promise<FlowRunId[]> {
    // A dormant run is taken over first, so that nobody takes it over while its row goes.
    await Promise.all(ids.map((id) => this.#awake(id, { isOffered: true })));
    if (!this.#parts) return [...ids];
    const gone = await removeRuns(this.#parts, this.#sockets, this.env, ids, which);
    this.#arm();
    return gone;
  }

  async states(id: FlowRunId): Promise<State[] | null> {
    const row = this.#parts?.store.run(id);
    if (row) return this.#parts?.store.states(row.states) ?? null;
    const state = (await readDormant(this.env.DB, id))?.state;
    return state ? [state] : null;
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
    const parts = await this.#awake(id);
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
    const parts = await this.#awake(id);
    if (!parts) return false;
    const isKnown = await parts.commit.run(() => parts.reports.recordTasks(id, reports));
    this.#arm();
    return isKnown;
  }

  async appendLogs(id: FlowRunId, logs: readonly LogCreate[]): Promise<boolean> {
    const parts = await this.#awake(id);
    return parts ? parts.commit.run(() => parts.reports.appendLogs(id, logs)) : false;
  }

  async heartbeat(id: FlowRunId, occurredAt: EpochMs): Promise<boolean> {
    const parts = await this.#awake(id);
    if (!parts) return false;
    parts.seen(id);
    const isKnown = await parts.commit.run(() => parts.life.heartbeat(id, occurredAt));
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
    const row = (await this.#awake(id))?.store.run(id);
    const effect = row && standingEffects(row).find(({ kind }) => kind === "offer");
    if (row && effect) await this.#parts?.performer.perform(id, effect, row.claims);
  }

  async claim(id: FlowRunId, worker: { readonly name: string }): Promise<RunTicket | null> {
    const parts = await this.#awake(id, { isOffered: true });
    if (!parts) return null;
    const instead = await this.#insteadOfClaim(parts, id);
    if (instead !== null) {
      await this.#holdBack(parts, id, instead);
      return null;
    }
    const { commit, claims, reserver } = parts;
    const reserved = await reserver.reserve(id, "PENDING", "pool");
    const ticket = await commit.run(() => claims.claim(id, worker, reserved.reservation));
    await reserver.settle(id, reserved);
    this.#arm();
    if (ticket === null) return null;
    const token = { flowRunId: id, generation: ticket.generation };
    return { ...ticket, run_token: await makeRunToken(this.env.SLUICE_ROOT_KEY, token) };
  }

  async slotFree(id: FlowRunId): Promise<"comes" | "not now"> {
    const parts = this.#parts;
    parts?.reserver.called(id);
    const isCalled = await parts?.commit.run(() => parts.claims.slotFree(id));
    if (!parts || !isCalled) return "not now";
    this.#arm();
    const poolName = parts.store.spec(id)?.placement?.poolName;
    if (poolName === undefined) return "comes";
    // Resolves when the pool has pushed the run, or has nobody with room for it.
    await this.offer(id);
    if (parts.store.run(id)?.record.state?.type !== "SCHEDULED") return "comes";
    // Workers that are connected come when they have room. Those that poll have to be waited for.
    const { workers } = await this.env.WORK_POOLS.getByName(poolName).status();
    return workers.some(({ online }) => online) ? "not now" : "comes";
  }

  async usesSlot(id: FlowRunId): Promise<boolean> {
    const record = this.#parts?.store.run(id)?.record;
    return record !== undefined && usesSlot(record);
  }

  async supersede(id: FlowRunId, which: "waiting" | "any"): Promise<void> {
    const parts = this.#parts;
    await parts?.commit.run(() => parts.endings.supersede(id, which));
    this.#arm();
  }

  async giveBack(id: FlowRunId, generation: number, reason: string): Promise<boolean | null> {
    const parts = this.#parts;
    if (!parts?.store.run(id)) return null;
    const isGivenBack = await parts.commit.run(() => parts.claims.giveBack(id, generation, reason));
    this.#arm();
    return isGivenBack;
  }

  async holdsClaim(id: FlowRunId, generation: number): Promise<boolean> {
    const row = this.#parts?.store.run(id);
    return row ? row.claims === generation && isInHand(row.record.state, row.record.policy) : false;
  }

  async honoursToken(id: FlowRunId, generation: number): Promise<boolean> {
    const row = this.#parts?.store.run(id);
    if (!row || row.claims !== generation) return false;
    const { state } = row.record;
    if (state === null || !isTerminal(state.type)) return true;
    return fromWireTime(state.timestamp) + TOKEN_AFTER_END_MS > clock.now();
  }

  async standing(id: FlowRunId): Promise<RunStanding | null> {
    const row = this.#parts?.store.run(id);
    const spec = this.#parts?.store.spec(id);
    const polledUntil = this.#parts?.deadlines.dueAt(id, "polled") ?? null;
    return row && spec ? standingOf(row, spec, clock.now(), polledUntil) : null;
  }

  /** Shows a child run's state on the task run that stands for it; called by the owner of the child. */
  async mirrorState(id: FlowRunId, taskRunId: TaskRunId, childId: FlowRunId, state: State): Promise<void> {
    const parts = this.#parts;
    await parts?.commit.run(() => parts.reports.mirrorState(id, taskRunId, childId, state));
    this.#arm();
    const asked = parts?.row(id)?.record.state;
    if (asked?.type !== "CANCELLING" || isTerminal(state.type)) return;
    // It was started before its parent was asked to cancel itself, and not known here when the other children were told.
    // What the parent starts in order to clean up is left alone.
    if (fromWireTime(state.timestamp) > fromWireTime(asked.timestamp)) return;
    await ownerOf(this.env.FLOW_RUNS, childId)?.askWithParent(childId);
  }

  async markLate(id: FlowRunId): Promise<void> {
    const parts = await this.#awake(id, { isOffered: true });
    if (!parts) return;
    const reservation = await parts.reserver.forLate(id);
    await parts.commit.run(() => parts.endings.markLate(id, reservation));
    this.#arm();
  }

  async askWithParent(id: FlowRunId): Promise<void> {
    const parts = await this.#awake(id);
    const row = parts?.row(id);
    if (!parts || !row || isTerminal(row.record.state?.type)) return;
    // The process of its parent tells it itself, but knows nothing of processes that run its children.
    if (row.record.deploymentId === null) await parts.askChildren(id);
    else await parts.commit.run(() => parts.endings.cancelWithParent(id));
    this.#arm();
  }

  async cancelWithParent(id: FlowRunId): Promise<void> {
    const parts = await this.#awake(id);
    await parts?.commit.run(() => parts.endings.cancelWithParent(id));
    this.#arm();
  }

  async frames(id: FlowRunId, frames: readonly RunClientFrame[]): Promise<RunServerFrame[]> {
    const parts = await this.#awake(id);
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
    const stream = request.headers.get("x-sluice-stream");
    if (stream !== null) {
      const hidden = JSON.parse(decodeURIComponent(stream)) as Hidden;
      const unknown = notFound("Flow run", id);
      await this.#awake(id);
      return this.#parts?.runStream.open(id, hidden) ?? Response.json(unknown.toBody(), { status: unknown.status });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#sockets.accept(server, id);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // Who watches has nothing to say.
    if (watchedRun(this.ctx, socket)) return;
    const id = this.#sockets.runOf(socket);
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
    const peer = this.#sockets.peerOf(socket);
    const answer = await answerFrame(parts, id, peer, frame);
    for (const answerFrame of answer.frames) socket.send(JSON.stringify(answerFrame));
    if (answer.peer === null) socket.close(4409, "See the last frame.");
    else if (peer === null) this.#sockets.introduce(socket, answer.peer);
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
    if (watched) this.#parts?.runStream.closed(watched);
    else {
      const id = this.#sockets.runOf(socket);
      this.#sockets.seen(id);
      this.#parts?.life.showAlive(id);
    }
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const parts = this.#parts;
    if (!parts) return;
    await new PassedDeadlines(parts, this.#sockets, this.env).handle(clock.now());
    await parts.commit.run(() => parts.recorder.beforeCommit(true));
    this.#arm();
  }

  /** The state that a run gets instead of being claimed: its time is over, or it has to wait for its turn. */
  async #insteadOfClaim({ store, triggers }: RunParts, id: FlowRunId): Promise<StateCreate | null> {
    const spec = store.spec(id);
    const now = clock.now();
    const expired = expiredInstead(store.run(id), spec, now);
    // Whoever is put off first takes no place in the line of its schedule meanwhile.
    return expired ?? (await triggers.insteadOfClaim(id)) ?? heldBack(this.env.SCHEDULE_LINES, id, spec, now);
  }

  /** Gives a run that may not be claimed now the state that says why; one that waits no longer keeps its own. */
  async #holdBack(parts: RunParts, id: FlowRunId, state: StateCreate) {
    const waits = () => parts.store.run(id)?.record.state?.type === "SCHEDULED";
    const outcome = await parts.commit.run(() => (waits() ? parts.recorder.propose(id, { state, force: true }) : null));
    this.#arm();
    const current = outcome?.result.state ?? parts.store.run(id)?.record.state ?? null;
    const details = { type: "reject_details", reason: state.message } as const;
    return { result: { state: current, status: "REJECT", details } as const, written: outcome?.written ?? false };
  }

  /** The parts, with the run in them if there is one: a dormant run is taken over first. */
  async #awake(id: FlowRunId, { isOffered = false } = {}): Promise<RunParts | null> {
    if (this.#parts?.row(id)) return this.#parts;
    const dormant = await takeDormant(this.env.DB, id);
    if (dormant === null) return this.#parts;
    const parts = this.#parts ?? this.#open();
    await parts.commit.run(() => parts.recorder.adopt(dormant, isOffered));
    this.#arm();
    return parts;
  }

  #open(): RunParts {
    const heartbeatMs = Number(this.env.SLUICE_HEARTBEAT_MS) || DEFAULT_HEARTBEAT_MS;
    this.#parts = openParts(this.ctx, this.env, this.#sockets, heartbeatMs);
    return this.#parts;
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
