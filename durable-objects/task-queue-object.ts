/**
 * The queue of one task key: background tasks that wait for a task worker. A task is in one subscriber's hand at a time:
 * that is written before it is told. It leaves the queue when the subscriber acknowledges it, and waits again, before
 * all others, when the subscriber is known to be gone (docs/decisions/0009-queues-of-background-tasks.md).
 */
import { DurableObject } from "cloudflare:workers";
import { waitsForTaskWorker } from "#machine/task-effects";
import type { TaskRunId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import { isTerminal } from "#protocol/states";
import type { TaskRun } from "#protocol/task-runs";
import type { EpochMs } from "#protocol/time";
import { clock } from "./clock.ts";
import { GroupCommit } from "./group-commit.ts";
import { offerAgain, readTask } from "./lost-background-task.ts";
import { isUntouched, migrate } from "./storage/migrate.ts";
import { QUEUE_SCHEMA, TaskQueueStore } from "./storage/task-queue-store.ts";
import {
  holdsTasks,
  type QueuedTask,
  type SubscriberName,
  subscriptionsOf,
  type TaskQueueOwner,
} from "./task-queue-owner.ts";

/** How long an acknowledged task is remembered: longer than an owner may take to repeat an enqueue. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** When a task was taken that an earlier life of the object gave out: long enough ago to be asked for. */
const UNKNOWN = 0 as EpochMs;

export class TaskQueueObject extends DurableObject<Env> implements TaskQueueOwner {
  /** Null until something is stored: an object that is merely asked writes nothing. */
  #store: TaskQueueStore | null = null;
  readonly #commit: GroupCommit;
  /** Subscribers with the number of the turn in which each was served last: the one that waited longest comes first. */
  readonly #servedAt = new Map<SubscriberName, number>();
  /** Subscribers that have a task in hand, of this queue or another. Only a hint: they answer for themselves. */
  readonly #busy = new Set<SubscriberName>();
  /** Tasks in a subscriber's hand, as stored, with the time since when that is known here. */
  readonly #held = new Map<TaskRunId, { readonly holder: SubscriberName; readonly since: EpochMs }>();
  /** Tasks that are on their way to a subscriber at this moment. */
  readonly #onTheWay = new Set<TaskRunId>();
  #turn = 0;
  #waiting = 0;
  #isPumping = false;
  /** Something changed while tasks were being brought: it is looked at once more. */
  #isPumpedAgain = false;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#commit = new GroupCommit(
      ctx.storage,
      () => undefined,
      () => this.#load(),
    );
    if (isUntouched(ctx.storage)) return;
    for (const name of this.#open().subscribers()) this.#servedAt.set(name, 0);
    this.#load();
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
      this.#arm();
    });
  }

  async enqueue({ task, dueAt, isRetry }: QueuedTask): Promise<void> {
    const store = this.#open();
    await this.#commit.run(() => {
      const known = store.row(task.id);
      if (known && (known.stateId === task.state_id || known.holder)) return;
      if (known?.holder !== null) this.#waiting += 1;
      store.put(task, isRetry ? 0 : 1, dueAt);
    });
    this.#pump();
  }

  async withdraw(id: TaskRunId): Promise<void> {
    const store = this.#store;
    if (!store) return;
    await this.#commit.run(() => {
      const known = store.row(id);
      if (!known || known.holder === "") return;
      // Whoever holds it until its end says when that is, and is asked for it when they are gone.
      if (known.holder !== null && holdsTasks(known.holder)) return;
      if (known.holder === null) this.#waiting -= 1;
      else this.#held.delete(id);
      store.acknowledge(id, clock.now());
    });
  }

  async hasRoom(): Promise<boolean> {
    return this.#waiting < LIMITS.queuedTasks;
  }

  async next(subscriber: SubscriberName): Promise<TaskRun | null> {
    const store = this.#open();
    return this.#commit.run(() => {
      if (!this.#servedAt.has(subscriber)) {
        store.addSubscriber(subscriber);
        this.#servedAt.set(subscriber, 0);
      }
      // An answer may have been lost: what it has in hand is its answer, unless that is on its way to it.
      const mine = [...this.#held].find(([, { holder }]) => holder === subscriber)?.[0];
      if (mine !== undefined && this.#onTheWay.has(mine)) return null;
      const task = mine === undefined ? this.#take(store, subscriber) : store.task(mine);
      if (task) this.#busy.add(subscriber);
      else this.#busy.delete(subscriber);
      return task;
    });
  }

  async acknowledge(subscriber: SubscriberName, id: TaskRunId): Promise<void> {
    const store = this.#store;
    if (!store) return;
    await this.#commit.run(() => {
      if (store.row(id)?.holder !== subscriber) return;
      store.acknowledge(id, clock.now());
      this.#held.delete(id);
    });
    this.#arm();
  }

  async giveBack(subscriber: SubscriberName, id: TaskRunId): Promise<void> {
    const store = this.#store;
    if (!store || store.row(id)?.holder !== subscriber) return;
    const task = store.task(id);
    // Its worker may have begun before its acknowledgement was lost: then it is not for another one.
    const waiting = task && (await this.#waitingOf(task, subscriber));
    await this.#commit.run(() => {
      const row = store.row(id);
      if (row?.holder !== subscriber) return;
      this.#held.delete(id);
      if (waiting === null) store.acknowledge(id, clock.now());
      else {
        if (waiting === task) store.release(id, true);
        else store.put(waiting, 0, Math.abs(row.dueAt) as EpochMs);
        this.#waiting += 1;
      }
    });
    this.#pump();
  }

  async miss(subscriber: SubscriberName, id: TaskRunId): Promise<void> {
    const store = this.#store;
    if (!store) return;
    const now = clock.now();
    await this.#commit.run(() => {
      // A mark from before would count the time since an absence that is over.
      if (store.row(id)?.holder === subscriber) store.markMissing(id, now);
    });
    this.#alarmBy(now + SPANS.taskWorkerReturnsMs);
  }

  async leave(subscriber: SubscriberName): Promise<void> {
    this.#busy.delete(subscriber);
    if (this.#servedAt.delete(subscriber)) this.#store?.removeSubscriber(subscriber);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const store = this.#store;
    if (!store) return;
    const now = clock.now();
    for (const [id, { holder, since }] of this.#held) {
      // One that was just taken may still be on its way.
      const isDue = now - since >= SPANS.taskLeaseMs / 2 || this.#missingSince(id) !== null;
      if (isDue && !this.#onTheWay.has(id)) await this.#look(id, holder);
    }
    store.purge((clock.now() - REMEMBERED_MS) as EpochMs);
    this.#pump();
  }

  /** Takes the next task out of those that wait, into the subscriber's hand. Inside a transaction. */
  #take(store: TaskQueueStore, subscriber: SubscriberName): TaskRun | null {
    const task = store.first(clock.now());
    if (!task) return null;
    store.hold(task.id, subscriber);
    this.#held.set(task.id, { holder: subscriber, since: clock.now() });
    this.#waiting -= 1;
    this.#turn += 1;
    this.#servedAt.set(subscriber, this.#turn);
    this.#alarmBy(clock.now() + SPANS.taskLeaseMs);
    return task;
  }

  #pump(): void {
    this.#isPumpedAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#pumpUntilStill();
  }

  async #pumpUntilStill(): Promise<void> {
    try {
      while (this.#isPumpedAgain) {
        this.#isPumpedAgain = false;
        await this.#deliver();
      }
    } finally {
      // Not a turn later: whatever changes from here on starts anew.
      this.#isPumping = false;
      this.#arm();
    }
  }

  /** Brings tasks that wait to subscribers that are free, until there are none of either. */
  async #deliver(): Promise<void> {
    const store = this.#open();
    for (;;) {
      const subscriber = this.#longestFree();
      if (subscriber === null) return;
      // Busy before anything is awaited: it may ask for itself meanwhile.
      this.#busy.add(subscriber);
      const task = await this.#commit.run(() => {
        const taken = this.#take(store, subscriber);
        if (taken) this.#onTheWay.add(taken.id);
        return taken;
      });
      if (task === null) {
        this.#busy.delete(subscriber);
        return;
      }
      try {
        const outcome = await subscriptionsOf(this.env, subscriber).deliver(subscriber, task);
        if (outcome === "taken") continue;
        await this.#commit.run(() => this.#untake(store, subscriber, task.id));
        if (outcome === "gone") await this.leave(subscriber);
      } catch (error) {
        // Whether it arrived is not known; the subscriber is asked when the lease is over.
        console.warn(`Background task ${task.id} could not be brought to ${subscriber}.`, error);
      } finally {
        this.#onTheWay.delete(task.id);
      }
    }
  }

  #longestFree(): SubscriberName | null {
    let best: SubscriberName | null = null;
    let bestTurn = Number.POSITIVE_INFINITY;
    for (const [name, turn] of this.#servedAt) {
      if (turn >= bestTurn || this.#busy.has(name)) continue;
      best = name;
      bestTurn = turn;
    }
    return best;
  }

  #untake(store: TaskQueueStore, subscriber: SubscriberName, id: TaskRunId): void {
    if (store.row(id)?.holder !== subscriber) return;
    store.release(id, false);
    this.#held.delete(id);
    this.#waiting += 1;
  }

  /** Asks a subscriber whether it still has a task in hand. */
  async #look(id: TaskRunId, holder: SubscriberName): Promise<void> {
    try {
      const outcome = await subscriptionsOf(this.env, holder).holds(holder, id);
      if (outcome === "acknowledged") await this.acknowledge(holder, id);
      else if (outcome === "no" ? await this.#isGone(id, holder) : this.#isBack(id)) await this.giveBack(holder, id);
    } catch (error) {
      console.warn(`The holder of background task ${id} could not be asked; it is asked again.`, error);
    }
  }

  /** Whether a subscriber is gone for good: one that holds its tasks has a moment in which it may come back. */
  async #isGone(id: TaskRunId, holder: SubscriberName): Promise<boolean> {
    if (!this.#store || !holdsTasks(holder)) return true;
    const since = this.#missingSince(id);
    if (since === null) {
      await this.miss(holder, id);
      return false;
    }
    const goneAt = since + SPANS.taskWorkerReturnsMs;
    if (clock.now() >= goneAt) return true;
    this.#alarmBy(goneAt);
    return false;
  }

  /** Since when the holder of a task is known not to be there; null for one that is, as far as is known. */
  #missingSince(id: TaskRunId): number | null {
    const dueAt = this.#store?.row(id)?.dueAt ?? 0;
    return dueAt < 0 ? -dueAt : null;
  }

  /** A subscriber is there, again if it was not. Never gives anything back. */
  #isBack(id: TaskRunId): false {
    if (this.#missingSince(id) !== null) this.#store?.markMissing(id, null);
    return false;
  }

  /** The task, if its owner still has it waiting, or made it wait again; null for one that is over, or was deleted. */
  async #waitingOf(task: TaskRun, subscriber: SubscriberName): Promise<TaskRun | null> {
    const found = await readTask(this.env, task);
    const state = found?.task.state ?? null;
    if (!found || state === null) return null;
    if (waitsForTaskWorker(state)) return task;
    if (!holdsTasks(subscriber) || isTerminal(state.type)) return null;
    return offerAgain(this.env, found);
  }

  #open(): TaskQueueStore {
    if (this.#store) return this.#store;
    migrate(this.ctx.storage, QUEUE_SCHEMA);
    this.#store = new TaskQueueStore(this.ctx.storage);
    return this.#store;
  }

  /** Reads from the rows what memory counts. */
  #load(): void {
    const store = this.#open();
    const known = new Map(this.#held);
    this.#held.clear();
    for (const { id, holder } of store.held()) this.#held.set(id, { holder, since: known.get(id)?.since ?? UNKNOWN });
    this.#waiting = store.countWaiting();
  }

  /** The alarm looks at what is held, at what becomes due, and, much later, at what may be forgotten. */
  #arm(): void {
    const store = this.#store;
    if (!store) return;
    const now = clock.now();
    if (this.#held.size > 0) this.#alarmBy(now + SPANS.taskLeaseMs);
    const dueAt = store.nextDueAt(now);
    if (dueAt !== null) this.#alarmBy(dueAt);
    if (this.#alarmAt === null) this.#alarmBy(now + REMEMBERED_MS);
  }

  #alarmBy(at: number): void {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}
