/**
 * Holds the sockets of task workers (`/api/task_runs/subscriptions/scheduled`) and brings them tasks from the queues of
 * their task keys, one at a time. What a worker has in hand stands with its socket and lasts exactly as long; the queues
 * own the tasks, and ask here what became of one that was not acknowledged.
 */
import { DurableObject } from "cloudflare:workers";
import { taskSubscription } from "#protocol/channels";
import { type TaskRunId, Uuid } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import type { TaskRun } from "#protocol/task-runs";
import { HOLD_PARAMETER, SubscribeFrame, type TaskWorker } from "#protocol/task-workers";
import { toWireTime } from "#protocol/time";
import { clock } from "./clock.ts";
import { acceptSocket, attach, authenticate, isTrusted, keyCheckOf, parseJson } from "./socket-handshake.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import { SUBSCRIPTION_SCHEMA, SubscriptionStore } from "./storage/subscription-store.ts";
import {
  holdsTasks,
  queueOf,
  type SubscriberName,
  subscriberName,
  type TaskSubscriptionOwner,
} from "./task-queue-owner.ts";

const PROTOCOL_VIOLATION = 4001;
const RETRY_MS = [50, 200, 1_000, 5_000] as const;

/** What stands with a socket. */
interface Peer {
  readonly name: SubscriberName;
  readonly stage: "subscribe" | "ready";
  /** The task that was sent, until the queue knows that it was acknowledged. */
  readonly inHand: { readonly id: TaskRunId; readonly taskKey: string; readonly isAcknowledged: boolean } | null;
  /** The task before that one: an answer of the queue that was overtaken may bring it again. */
  readonly last: TaskRunId | null;
}

export class TaskSubscriptionObject extends DurableObject<Env> implements TaskSubscriptionOwner {
  #store: SubscriptionStore | null = null;
  /**
   * Keys whose queues take a subscriber for busy, or do not know it yet: they are to be asked when it is free. Without an
   * entry (after the object lost its memory) that may be any of them.
   */
  readonly #toAsk = new Map<SubscriberName, Set<string>>();
  readonly #asking = new Set<SubscriberName>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (isUntouched(ctx.storage)) return;
    const store = this.#open();
    // A server that was killed saw none of its sockets close.
    for (const name of store.connected()) if (this.#socketOf(name) === null) this.#left(name);
  }

  override async fetch(request: Request): Promise<Response> {
    const holder = Uuid.safeParse(new URL(request.url).searchParams.get(HOLD_PARAMETER));
    const name = subscriberName(this.ctx.id.name ?? "", holder.data ?? null);
    return acceptSocket(this.ctx, request, keyCheckOf(this.env, taskSubscription), [name]);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const frame = parseJson(message);
    if (!isTrusted(socket)) return authenticate(socket, frame, keyCheckOf(this.env, taskSubscription));
    const peer = this.#peerOf(socket);
    if (peer.stage === "subscribe") this.#subscribe(socket, peer, frame);
    else this.#answer(socket, peer, frame);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#lost(socket);
    socket.close();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#lost(socket);
  }

  async deliver(subscriber: SubscriberName, task: TaskRun): Promise<"taken" | "busy" | "gone"> {
    const socket = this.#socketOf(subscriber);
    if (socket === null) return "gone";
    if (this.#hand(socket, task)) return "taken";
    this.#keysToAsk(subscriber).add(task.task_key);
    return "busy";
  }

  async holds(subscriber: SubscriberName, id: TaskRunId): Promise<"held" | "acknowledged" | "no"> {
    const socket = this.#socketOf(subscriber);
    const peer = socket && this.#peerOf(socket);
    if (peer?.last === id) return "acknowledged";
    if (peer?.inHand?.id !== id) return "no";
    return peer.inHand.isAcknowledged ? "acknowledged" : "held";
  }

  async workers(): Promise<TaskWorker[]> {
    const now = clock.now();
    return (this.#store?.workers(now - SPANS.taskWorkerListedMs) ?? []).map(({ clientId, keys, seenAt }) => ({
      identifier: clientId,
      task_keys: keys,
      timestamp: toWireTime(seenAt ?? now),
    }));
  }

  /** What stands with a socket; one that has just opened has nothing in hand. */
  #peerOf(socket: WebSocket): Peer {
    const kept = socket.deserializeAttachment() as Partial<Peer> | null;
    const name = this.ctx.getTags(socket)[0] as SubscriberName;
    return { name, stage: kept?.stage ?? "subscribe", inHand: kept?.inHand ?? null, last: kept?.last ?? null };
  }

  #subscribe(socket: WebSocket, peer: Peer, json: unknown): void {
    const frame = SubscribeFrame.safeParse(json);
    if (!frame.success) {
      const field = frame.error.issues[0]?.path[0];
      const missing = field === "keys" || field === "client_id";
      const expected = missing ? `expected '${field}' in subscribe message` : "expected 'subscribe' message";
      socket.close(PROTOCOL_VIOLATION, `Protocol violation: ${expected}`);
      return;
    }
    const keys = [...new Set(frame.data.keys)];
    this.#open().insert({ name: peer.name, clientId: frame.data.client_id, keys });
    this.#toAsk.set(peer.name, new Set(keys));
    // It takes the place of the connection before, which may not have been heard closing.
    for (const other of this.ctx.getWebSockets(peer.name)) if (other !== socket) other.close(1000, "Replaced");
    const kept = holdsTasks(peer.name) ? (frame.data.in_hand ?? null) : null;
    const inHand = kept && { id: kept.id, taskKey: kept.task_key, isAcknowledged: false };
    setPeer(socket, { ...peer, stage: "ready", inHand });
    this.#askSoon(peer.name);
  }

  #answer(socket: WebSocket, peer: Peer, json: unknown): void {
    const type = typeof json === "object" && json !== null && "type" in json ? json.type : null;
    const waitsForAnswer = peer.inHand !== null && !peer.inHand.isAcknowledged;
    // A worker that leaves with a task in hand has taken it, as upstream.
    if (waitsForAnswer && (type === "ack" || type === "quit")) {
      setPeer(socket, { ...peer, inHand: peer.inHand && { ...peer.inHand, isAcknowledged: true } });
      void this.#acknowledge(peer.name);
    }
    if (type === "quit") {
      socket.close(1000, "Goodbye");
      this.#left(peer.name);
    } else if (type !== "ack") {
      socket.close(PROTOCOL_VIOLATION, "Protocol violation: expected 'ack' message");
      this.#lost(socket);
    }
  }

  /** Tells the queue, until it has heard it, and then asks for the next task. */
  async #acknowledge(name: SubscriberName): Promise<void> {
    const socket = this.#socketOf(name);
    const inHand = socket && this.#peerOf(socket).inHand;
    if (!socket || !inHand) return;
    await this.#insist(`The acknowledgement of background task ${inHand.id}`, () =>
      queueOf(this.env, inHand.taskKey).acknowledge(name, inHand.id),
    );
    const peer = this.#peerOf(socket);
    if (peer.inHand?.id === inHand.id) setPeer(socket, { ...peer, inHand: null, last: inHand.id });
    this.#askSoon(name);
  }

  /** Gives a task to a worker that has none in hand. */
  #hand(socket: WebSocket, task: TaskRun): boolean {
    const peer = this.#peerOf(socket);
    if (peer.stage !== "ready" || peer.inHand !== null) return peer.inHand?.id === task.id;
    setPeer(socket, { ...peer, inHand: { id: task.id, taskKey: task.task_key, isAcknowledged: false } });
    this.#keysToAsk(peer.name).add(task.task_key);
    socket.send(JSON.stringify(task));
    return true;
  }

  #askSoon(name: SubscriberName): void {
    if (this.#asking.has(name)) return;
    this.#asking.add(name);
    void this.#ask(name).finally(() => this.#asking.delete(name));
  }

  /** Asks one queue after another for a task, while the subscriber is there and free. */
  async #ask(name: SubscriberName): Promise<void> {
    for (let failures = 0; ; ) {
      const socket = this.#socketOf(name);
      const keys = this.#keysToAsk(name);
      const [key] = keys;
      if (!socket || this.#peerOf(socket).inHand !== null || key === undefined) return;
      // To the end of the row, so that every key has its turn.
      keys.delete(key);
      try {
        const task = await queueOf(this.env, key).next(name);
        failures = 0;
        if (task) await this.#took(name, task);
      } catch (error) {
        keys.add(key);
        console.warn(`The queue of "${key}" could not be asked; it is asked again.`, error);
        await scheduler.wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0);
        failures += 1;
      }
    }
  }

  /** A queue gave a task: it is handed to the worker, or given back where that is gone or was faster served. */
  async #took(name: SubscriberName, task: TaskRun): Promise<void> {
    const socket = this.#socketOf(name);
    if (socket && (this.#peerOf(socket).last === task.id || this.#hand(socket, task))) return;
    this.#keysToAsk(name).add(task.task_key);
    await queueOf(this.env, task.task_key).giveBack(name, task.id);
  }

  /** The socket is gone: what it had in hand waits again, and its queues forget it. */
  #lost(socket: WebSocket): void {
    const { name, inHand } = this.#peerOf(socket);
    const isReplaced = this.ctx
      .getWebSockets(name)
      .some((other) => other !== socket && other.readyState === WebSocket.OPEN);
    if (isReplaced) return;
    if (inHand) {
      void this.#insist(`Background task ${inHand.id}, whose worker went away,`, () => {
        const queue = queueOf(this.env, inHand.taskKey);
        if (inHand.isAcknowledged) return queue.acknowledge(name, inHand.id);
        // One that holds its tasks may come back: its queue asks after a while.
        return holdsTasks(name) ? queue.miss(name, inHand.id) : queue.giveBack(name, inHand.id);
      });
    }
    this.#left(name);
  }

  #left(name: SubscriberName): void {
    this.#toAsk.delete(name);
    for (const key of this.#store?.leave(name, clock.now()) ?? []) {
      // A queue that does not hear it finds out when it brings the next task.
      void queueOf(this.env, key)
        .leave(name)
        .catch((error: unknown) => console.warn(`The queue of "${key}" was not told that ${name} left.`, error));
    }
  }

  /** Repeats until it succeeds, a bounded number of times: the queue asks by itself when the lease is over. */
  async #insist(what: string, act: () => Promise<void>): Promise<void> {
    for (const retryMs of RETRY_MS) {
      try {
        await act();
        return;
      } catch (error) {
        console.warn(`${what} could not be told to its queue; it is tried again.`, error);
        await scheduler.wait(retryMs);
      }
    }
  }

  #keysToAsk(name: SubscriberName): Set<string> {
    const known = this.#toAsk.get(name);
    if (known) return known;
    const keys = new Set(this.#store?.keysOf(name));
    this.#toAsk.set(name, keys);
    return keys;
  }

  #socketOf(name: SubscriberName): WebSocket | null {
    const socket = this.ctx.getWebSockets(name).find(({ readyState }) => readyState === WebSocket.OPEN);
    return socket ?? null;
  }

  #open(): SubscriptionStore {
    if (this.#store) return this.#store;
    migrate(this.ctx.storage, SUBSCRIPTION_SCHEMA);
    this.#store = new SubscriptionStore(this.ctx.storage);
    return this.#store;
  }
}

function setPeer(socket: WebSocket, peer: Omit<Peer, "name">): void {
  attach(socket, { stage: peer.stage, inHand: peer.inHand, last: peer.last });
}
