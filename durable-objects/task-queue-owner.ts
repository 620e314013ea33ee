/** What a queue of background tasks and the object of its subscribers answer to each other and to others. */
import type { TaskRunId } from "#protocol/ids";
import type { TaskRun } from "#protocol/task-runs";
import type { TaskWorker } from "#protocol/task-workers";
import type { EpochMs } from "#protocol/time";

/** A background task that waits, as it will be delivered. Its id and the id of its state are the key of the wait. */
export interface QueuedTask {
  readonly task: TaskRun;
  /** Not delivered before this. */
  readonly dueAt: EpochMs;
  /** Delivered before those that are none. */
  readonly isRetry: boolean;
}

/** `<object>|<connection>`: where a subscriber is found. */
export type SubscriberName = `${string}|${string}`;

/** What ends the name of a subscriber that acknowledges a task when it has ended: one that it leaves before is another's. */
const HOLDS = "~";

/** Names a connection of an object: anew, or as the worker's own id says, which it keeps when it connects again. */
export function subscriberName(object: string, holder: string | null): SubscriberName {
  return holder === null ? `${object}|${crypto.randomUUID()}` : `${object}|${holder}${HOLDS}`;
}

/** Whether a subscriber has a task in hand for as long as it executes it, as Sluice's own task workers do. */
export function holdsTasks(subscriber: SubscriberName): boolean {
  return subscriber.endsWith(HOLDS);
}

/** The queue of one task key. */
export interface TaskQueueOwner {
  /** Takes a task in. One that is there, or was delivered and acknowledged, under the same state changes nothing. */
  enqueue(queued: QueuedTask): Promise<void>;
  /** The task no longer waits. One that was delivered is no longer the queue's, unless its subscriber holds it to its end. */
  withdraw(id: TaskRunId): Promise<void>;
  /** False when so many tasks wait that no more are to be made. */
  hasRoom(): Promise<boolean>;
  /** Gives a free subscriber the next task, or null, and then brings it one as soon as there is one. */
  next(subscriber: SubscriberName): Promise<TaskRun | null>;
  /** The subscriber has the task for good. */
  acknowledge(subscriber: SubscriberName, id: TaskRunId): Promise<void>;
  /**
   * The subscriber went away without acknowledging the task: it waits again, before all others. Of a subscriber that holds
   * tasks, also one that it had begun, a bounded number of times.
   */
  giveBack(subscriber: SubscriberName, id: TaskRunId): Promise<void>;
  /**
   * The connection of a subscriber that holds a task was heard closing. It may come back; if it is not there after
   * `SPANS.taskWorkerReturnsMs`, the task waits again.
   */
  miss(subscriber: SubscriberName, id: TaskRunId): Promise<void>;
  /** The subscriber is gone. */
  leave(subscriber: SubscriberName): Promise<void>;
}

/** The object that holds the sockets of task workers. */
export interface TaskSubscriptionOwner {
  /** Hands a task to a subscriber that has none in hand. */
  deliver(subscriber: SubscriberName, task: TaskRun): Promise<"taken" | "busy" | "gone">;
  /** What became of a task that was delivered to a subscriber. */
  holds(subscriber: SubscriberName, id: TaskRunId): Promise<"held" | "acknowledged" | "no">;
  /** Task workers that are connected, or were until a moment ago. */
  workers(): Promise<TaskWorker[]>;
}

export function queueOf(env: Env, taskKey: string): TaskQueueOwner {
  return env.TASK_QUEUES.getByName(taskKey) as unknown as TaskQueueOwner;
}

/** The object at which a subscriber is found. */
export function subscriptionsOf(env: Env, subscriber: SubscriberName): TaskSubscriptionOwner {
  return env.TASK_SUBSCRIPTIONS.getByName(subscriber.split("|", 1)[0] ?? "") as unknown as TaskSubscriptionOwner;
}
