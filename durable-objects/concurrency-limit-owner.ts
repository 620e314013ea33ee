/**
 * What the object of a concurrency limit answers to: the calls of the Worker, of the objects that own flow runs, and of
 * the other limits that a lease spans. `ConcurrencyLimitObject` implements it; see lease-id.ts for its name.
 */
import type { LeaseHolder } from "#protocol/concurrency-limits";
import type { FlowRunId } from "#protocol/ids";
import type { EpochMs } from "#protocol/time";

/** The part of a limit's row that deciding needs. It travels with every question, so that no change can be missed. */
export interface LimitSettings {
  readonly id: string;
  readonly limit: number;
  readonly active: boolean;
  readonly slotDecayPerSecond: number;
  /** The longest answer to "when shall I ask again" while slots are held, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** Grows with every change of the row: older settings are not taken over. */
  readonly version: number;
}

/** Somebody who asks, as far as the place in line goes. */
export interface Asker {
  /** Finds the place again; null for those who cannot be told apart. */
  readonly key: string | null;
  /** 1 is the most urgent. */
  readonly priority: number;
}

/** A question for slots of all the limits. */
export interface SlotAsk {
  readonly leaseId: string;
  /** By id, ascending. The first one's object is asked: it is the home of the lease. */
  readonly limits: readonly LimitSettings[];
  /** Of each limit. */
  readonly slots: number;
  /** Null holds them until they are given back. */
  readonly ttlMs: number | null;
  /** Null together with `ttlMs` null takes slots without a lease. */
  readonly holder: LeaseHolder | null;
  readonly asker: Asker;
  /** The flow run for which is asked: while there is no slot it stands in line, and its owner is called when there is. */
  readonly calls?: FlowRunId;
  /** Since when it waits; by default since it asks. */
  readonly since?: EpochMs;
}

export type SlotAnswer =
  | { readonly kind: "granted" }
  /** Nothing was taken, of any limit. */
  | { readonly kind: "full"; readonly limitId: string; readonly retryAfterMs: number };

/** A question of a lease's home for its slots of another limit. */
export interface PartAsk {
  readonly leaseId: string;
  readonly settings: LimitSettings;
  readonly slots: number;
  readonly ttlMs: number | null;
  readonly holder: LeaseHolder | null;
  readonly asker: Asker;
  /** How whoever asks waits, if there is no slot; `since` when they first asked. */
  readonly waits: { readonly kind: "polling" | "connected" | "not"; readonly since: EpochMs };
}

export interface LimitStatus {
  readonly activeSlots: number;
  /** Slots that those in line ask for. */
  readonly wantedSlots: number;
  readonly averageOccupancyMs: number;
  readonly holders: readonly {
    readonly leaseId: string;
    readonly slots: number;
    readonly holder: LeaseHolder | null;
    readonly acquiredAt: EpochMs;
    readonly expiresAt: EpochMs | null;
  }[];
  readonly waiters: readonly {
    readonly slots: number;
    readonly holder: LeaseHolder | null;
    readonly priority: number;
    readonly since: EpochMs;
    readonly connected: boolean;
  }[];
}

/** How a lease stands, for a limit that holds slots for it without knowing whether it came about. */
export type LeaseOutcome = { readonly kind: "held"; readonly expiresAt: EpochMs | null } | { readonly kind: "none" };

/** Who waits without a break opens a WebSocket with the question in this header: JSON, percent-encoded. */
export const ASK_HEADER = "x-sluice-ask";

/** Frames to those who wait on a socket. */
export type WaitFrame =
  | { readonly type: "granted"; readonly lease_id: string }
  /** A limit was changed or deleted: look the names up again, and ask again. */
  | { readonly type: "changed" }
  /** Whoever waits has said elsewhere that it waits no more. */
  | { readonly type: "left" };

/** How a waiting socket is closed by those who wait; any other end gives up place and slots. */
export const WAIT_CLOSE = { taken: 4000, comesBack: 4001 } as const;

export interface ConcurrencyLimitOwner {
  /** Asked at the home of the lease: takes all slots or none. `keepsPlace` says that whoever is refused comes back. */
  acquire(ask: SlotAsk, keepsPlace: boolean): Promise<SlotAnswer>;
  /** Asked by a lease's home: holds slots for a moment, until the lease is confirmed or released. */
  hold(part: PartAsk): Promise<{ readonly kind: "granted" } | { readonly kind: "full"; readonly retryAfterMs: number }>;
  /** The lease came about. */
  confirm(leaseId: string): Promise<void>;
  /** Asked of a lease's home. A lease that is not decided yet is given up by the answer. */
  outcome(leaseId: string): Promise<LeaseOutcome>;
  /**
   * Holds a lease for `ttlMs` from now, with null until it is released; false when it has ended. Asked at its home, which
   * asks the others.
   */
  renew(leaseId: string, ttlMs: number | null): Promise<boolean>;
  /** Ends a lease, here and (asked at its home) everywhere. Does nothing for one that has ended. */
  release(leaseId: string): Promise<void>;
  /** Ends every lease of a holder on this limit, as {@link release}. */
  releaseHolder(holderId: string): Promise<void>;
  /** Gives back slots that were taken without a lease; `occupiedMs` is for how long they were held. */
  giveBack(slots: number, occupiedMs: number | null): Promise<void>;
  /** Told by the limit `from`: the slots that this waiter is in line for there are kept for a moment. False when nobody waits. */
  invited(key: string, from: string): Promise<boolean>;
  /** Told by another limit that was changed: this waiter has to look again. */
  changed(key: string): Promise<void>;
  /** Told by the home of a waiter that does not wait here any more. */
  leave(key: string): Promise<void>;
  /** Takes over a change of the row; `takenSlots` sets the slots that are taken without a lease. False: not this limit's. */
  configure(settings: LimitSettings, takenSlots: number | null): Promise<boolean>;
  /** Somebody gives up its place in line, on whatever connection it waits. */
  abandon(key: string): Promise<void>;
  /** Ends all leases, then gives each of `holders` a slot until it is given back. */
  reset(holders: readonly LeaseHolder[]): Promise<void>;
  /** Something else about this limit was changed: everybody in line has to look again. */
  lookAgain(): Promise<void>;
  /** The limit was deleted: its leases end, and everything stored here is deleted. */
  remove(): Promise<void>;
  /** Slots that are taken at this moment. */
  activeSlots(): Promise<number>;
  status(): Promise<LimitStatus>;
}
