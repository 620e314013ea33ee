/** Objects of concurrency limits, and clients that ask and wait as the Worker does. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { EpochMs } from "#protocol/time";
import { clock } from "../../../durable-objects/clock.ts";
import type { ConcurrencyLimitObject } from "../../../durable-objects/concurrency-limit-object.ts";
import {
  ASK_HEADER,
  type ConcurrencyLimitOwner,
  type LimitSettings,
  type SlotAsk,
  WAIT_CLOSE,
  type WaitFrame,
} from "../../../durable-objects/concurrency-limit-owner.ts";
import { limitObjectName, newLeaseId } from "../../../durable-objects/lease-id.ts";
import { newId } from "../../../worker/new-id.ts";

/** One limit with its object. */
export class Limit {
  readonly id = newId();
  /** The smallest that it has been. */
  lowest: number;
  #settings: LimitSettings;

  constructor(limit: number, more: Partial<LimitSettings> = {}) {
    this.lowest = limit;
    this.#settings = {
      id: this.id,
      limit,
      active: true,
      slotDecayPerSecond: 0,
      maxRetryAfterMs: 30_000,
      version: 1,
      ...more,
    };
  }

  get settings(): LimitSettings {
    return this.#settings;
  }
  get object(): ConcurrencyLimitOwner & { fetch(url: string, init: RequestInit): Promise<Response> } {
    return this.stub as unknown as ReturnType<() => ConcurrencyLimitOwner & DurableObjectStub>;
  }
  get stub(): DurableObjectStub<ConcurrencyLimitObject> {
    return env.CONCURRENCY_LIMITS.getByName(limitObjectName(this.id));
  }

  async change(change: Partial<LimitSettings>): Promise<void> {
    this.#settings = { ...this.#settings, ...change, version: this.#settings.version + 1 };
    this.lowest = Math.min(this.lowest, this.#settings.limit);
    await this.object.configure(this.#settings, null);
  }

  async alarm(): Promise<void> {
    await runDurableObjectAlarm(this.stub);
  }

  /** The object loses its memory; with `close` also its sockets, as when the server is killed. */
  async evict(webSockets: "hibernate" | "close"): Promise<void> {
    // Only one that runs can be evicted.
    await this.object.activeSlots();
    await evictDurableObject(this.stub, { webSockets });
  }
}

export interface AskOptions {
  readonly slots?: number;
  readonly ttlMs?: number | null;
  readonly priority?: number;
  readonly key?: string | null;
  readonly holder?: SlotAsk["holder"];
}

/** A question for slots of the limits. */
export function ask(limits: readonly Limit[], options: AskOptions = {}): SlotAsk {
  const { slots = 1, ttlMs = 120_000, priority = 100, key = null, holder = null } = options;
  const sorted = [...limits].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    leaseId: newLeaseId(sorted[0]?.id ?? null, clock.now()),
    limits: sorted.map((limit) => limit.settings),
    slots,
    ttlMs,
    holder,
    asker: { key, priority },
  };
}

/** The object that keeps a lease, or that is asked for it. */
export function home(leaseId: string): ConcurrencyLimitOwner & DurableObjectStub {
  return env.CONCURRENCY_LIMITS.getByName(limitObjectName(leaseId)) as unknown as ConcurrencyLimitOwner &
    DurableObjectStub;
}

/** Somebody who waits on a socket, and asks again when told to or cut off. */
export class LimitWaiter {
  readonly limits: readonly Limit[];
  readonly options: AskOptions;
  readonly since: EpochMs = clock.now();
  /** Told when slots were handed over, with the id of the lease. */
  onGrant: (leaseId: string) => void = () => {};
  leaseId: string | null = null;
  grantedAt = 0;
  /** Since when it has a place in line for certain; null while it has none, or may have lost it. */
  inLineAt: EpochMs | null = null;
  /**
   * When it was last seen in the line of its only limit, and since when it waits by that limit's own clock; null where it
   * was not, or may have lost the place since.
   */
  seenInLine: { readonly at: EpochMs; readonly since: EpochMs } | null = null;
  #losses = 0;
  #socket: WebSocket | null = null;
  /** How it left; null while it is there. */
  #leftBy: number | null = null;

  constructor(limits: readonly Limit[], options: AskOptions = {}) {
    this.limits = limits;
    this.options = { key: crypto.randomUUID(), ...options };
  }

  get isWaiting(): boolean {
    return this.#leftBy === null && this.leaseId === null;
  }

  async connect(): Promise<this> {
    const question = ask(this.limits, this.options);
    const losses = this.#losses;
    const response = await home(question.leaseId).fetch("http://limit/", {
      headers: { upgrade: "websocket", [ASK_HEADER]: encodeURIComponent(JSON.stringify(question)) },
    });
    const socket = response.webSocket;
    if (!socket) throw new Error(`No socket: ${response.status}`);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      // Whoever left is told of slots in vain, and they are taken back.
      if (this.#leftBy !== null) return;
      const frame = JSON.parse(String(data)) as WaitFrame;
      if (frame.type === "left") return this.leave();
      if (frame.type === "changed") return this.#again(socket);
      this.leaseId = frame.lease_id;
      this.grantedAt = performance.now();
      socket.close(WAIT_CLOSE.taken);
      this.onGrant(frame.lease_id);
    });
    socket.addEventListener("close", () => this.#again(socket));
    socket.accept();
    if (losses === this.#losses) this.inLineAt = clock.now();
    // It may have left before the socket was there to be closed.
    if (this.#leftBy !== null) socket.close(this.#leftBy);
    return this;
  }

  /** The object forgets whoever is connected. */
  losesPlace(): void {
    this.#losses += 1;
    this.inLineAt = null;
    this.seenInLine = null;
  }

  /** Gives up. */
  leave(code = 1000): void {
    this.#leftBy = code;
    this.#socket?.close(code);
  }

  /** Dies: it does not come back, and its end of the connection says nothing. */
  vanish(): void {
    this.#leftBy = 1006;
  }

  #again(socket: WebSocket): void {
    if (!this.isWaiting || socket !== this.#socket) return;
    this.#socket = null;
    this.losesPlace();
    socket.close(WAIT_CLOSE.comesBack);
    void this.connect();
  }
}
