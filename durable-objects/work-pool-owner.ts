/**
 * What the object of a work pool answers to: the calls of the objects that own flow runs, and of the Worker's routes.
 * `WorkPoolObject` implements it; the object is named by the pool's name.
 */
import type { JsonObject } from "#protocol/flow-runs";
import type { FlowRunId, WorkQueueId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";
import type { Why } from "#protocol/why";
import type { PoolOffer, RunTicket } from "#protocol/worker-channel";

/** The part of a pool's row that dispatching needs. Given whole each time. */
export interface PoolSettings {
  /** A paused pool pushes nothing; runs that are offered wait. */
  readonly isPaused: boolean;
  /** Runs of this pool that may be in progress at the same time; null for no limit. */
  readonly concurrencyLimit: number | null;
  /** Whether its runs are pushed to a URL. Default false: workers take them. */
  readonly isPushed?: boolean;
  /** All queues of the pool. */
  readonly queues: readonly QueueSettings[];
  /** Handed to each worker in `welcome`. */
  readonly baseJobTemplate: JsonObject;
  /** How often workers show that they are alive, in milliseconds. Default: the server's `SLUICE_HEARTBEAT_MS`. */
  readonly heartbeatIntervalMs?: number;
}

/** The part of a queue's row that dispatching needs. */
export interface QueueSettings {
  readonly id: WorkQueueId;
  readonly name: string;
  /** 1 is the most urgent. */
  readonly priority: number;
  readonly isPaused: boolean;
  /** Runs of this queue that may be in progress at the same time; null for no limit. */
  readonly concurrencyLimit: number | null;
}

/** A run that a poller is about to claim. */
export interface PolledClaim {
  readonly id: FlowRunId;
  /** The number that the claim gets if it comes about. */
  readonly generation: number;
  readonly queue: PoolOffer["queue"];
}

/** What a poller is answered. */
export type Place =
  /** `isTaken` is false where a connected worker has the slot by the same claim: there is nothing to give back. */
  | { readonly kind: "granted"; readonly isTaken: boolean }
  /** `limit` says which one is full, in words; `heldBy` names some of those who hold its slots. */
  | { readonly kind: "full"; readonly limit: string; readonly heldBy: readonly FlowRunId[] };

export interface PoolWorker {
  readonly name: string;
  readonly type: string;
  /** Runs it takes at the same time, and how many of them it has. */
  readonly limit: number;
  readonly active: number;
  readonly online: boolean;
  /** It finishes what it has and takes nothing more. */
  readonly draining: boolean;
  readonly connectedAt: EpochMs;
  readonly lastSeenAt: EpochMs;
}

export interface PoolStatus {
  /** Runs that wait here, due or not. */
  readonly ready: number;
  /** Runs being claimed at this moment. */
  readonly claiming: number;
  /** Runs that occupy a slot of the pool. */
  readonly held: number;
  /** Everyone who was connected during the last week, by name. */
  readonly workers: readonly PoolWorker[];
}

/** Asks the consumer of the queue `pushes` to push a run under a claim. */
export interface PushMessage {
  readonly pool_name: string;
  readonly flow_run_id: FlowRunId;
  readonly generation: number;
}

/** What is to be pushed. */
export interface PushOrder {
  readonly ticket: Omit<RunTicket, "run_token">;
  /** 1 for the first one under this claim. */
  readonly attempt: number;
}

/** What became of an attempt. */
export type PushOutcome =
  | { readonly kind: "accepted"; readonly budgetMs: number | null }
  | {
      readonly kind: "failed";
      /** What the target answered; null when nothing was heard of it. */
      readonly status: number | null;
      /** A sentence. */
      readonly said: string;
      /** The same would come of another attempt. */
      readonly isFinal: boolean;
      readonly retryAfterMs: number | null;
    };

/** What is to be done next about a push. */
export type PushNext =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly delayMs: number }
  | { readonly kind: "give up"; readonly attempts: number; readonly said: string };

/** A run that is due within minutes. */
export interface SoonDue {
  readonly flowRunId: FlowRunId;
  readonly dueAt: EpochMs;
  readonly queue: { readonly name: string; readonly priority: number };
}

export interface WorkPoolOwner {
  /**
   * Hands a run to the pool. Idempotent by run id; a later offer of a waiting run replaces the earlier one. Resolves
   * when the run is safely stored here, claimed for a worker, or was refused by its owner. Rejects when none of this
   * is certain: offer it again.
   */
  offer(offer: PoolOffer): Promise<void>;
  /**
   * Reserves the slots for a run that a poller is about to claim, and takes the run from the list of those that wait.
   * Idempotent by run and generation. A claim that came to nothing is given back by `release`; if nobody says so, the
   * pool asks the run's owner after a while.
   */
  reserve(claim: PolledClaim): Promise<Place>;
  /**
   * Hands runs to the pool that are due soon, many at once. Resolves when they are safely stored here; those that are
   * stored already are left as they are.
   */
  offerSoon(runs: readonly SoonDue[]): Promise<void>;
  /** The run no longer waits here. A claim that is under way is not pushed any more. */
  withdraw(flowRunId: FlowRunId): Promise<void>;
  /**
   * The run no longer occupies a slot. With `generation`, only claims up to that one are meant, so that a late call
   * cannot free the slot of a newer claim; without it, all of them.
   */
  release(flowRunId: FlowRunId, generation?: number): Promise<void>;
  /**
   * Whether the worker is connected and showed itself within three heartbeat intervals. With `flowRunId` also whether
   * this run was pushed to it and not released since: a claim whose push never arrived must not live as long as its worker does.
   */
  workerOnline(workerName: string, flowRunId?: FlowRunId): Promise<boolean>;
  /** Tells the worker that has the run to kill its process. False when no connected worker has it. */
  kill(flowRunId: FlowRunId): Promise<boolean>;
  /** What is to be pushed under a claim; null when it was accepted, given up, or is over. */
  nextPush(flowRunId: FlowRunId, generation: number): Promise<PushOrder | null>;
  /** Notes what became of an attempt to push; answers what is to be done next. */
  settlePush(flowRunId: FlowRunId, generation: number, outcome: PushOutcome): Promise<PushNext>;
  status(): Promise<PoolStatus>;
  /** Why a run that is due is not given to anybody: what decides first, then what else stands in its way. */
  explain(flowRunId: FlowRunId): Promise<Why[]>;
  /** Takes over a change of the pool's row. */
  configure(settings: PoolSettings): Promise<void>;
  /** The pool was deleted: workers are sent away, everything stored here is deleted. */
  remove(): Promise<void>;
}
