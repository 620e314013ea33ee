/** Slots of concurrency limits that the control plane keeps, for all processes together. */
import type { ApiClient } from "../client/api-client.ts";
import { pause } from "../client/jitter.ts";
import {
  acquireSlots,
  type ConcurrencyLease,
  decrementSlotsWithLease,
  type LeaseHolder,
  renewConcurrencyLease,
} from "../protocol/concurrency-limits.ts";
import { SluiceError } from "../protocol/errors.ts";
import { type EpochMs, ms, seconds } from "../protocol/time.ts";
import { clock, configuredClient } from "./configuration.ts";
import { currentScope } from "./engine/scope.ts";
import { TimedOutError } from "./errors.ts";
import { logger } from "./logger.ts";

/** How slots are asked for. */
export interface SlotOptions {
  /** Slots of each limit. Default 1. */
  readonly slots?: number;
  /** For how long to wait for them, in milliseconds. Default: as long as it takes. */
  readonly timeoutMs?: number;
  /** Whether a name that has no limit is an error. Default false: it limits nothing. */
  readonly strict?: boolean;
  /** Place in line: 1 is the most urgent. Default 100; equals are served in the order in which they asked. */
  readonly priority?: number;
  /** Ends the wait. Inside of a flow or task its own signal does so, too. */
  readonly signal?: AbortSignal;
}

/** How slots are taken and kept. Everything may be left out. */
export interface ConcurrencyOptions extends SlotOptions {
  /** For how long the slots stay taken when this process dies, in milliseconds: from 1,000 to a day. Default 30,000. */
  readonly leaseMs?: number;
}

/** What code that holds slots is told. */
export interface HeldSlots {
  /** Aborts when the slots are lost: the lease could not be renewed, or somebody reset the limit. */
  readonly signal: AbortSignal;
}

/** The slots were lost while they were in use: others may have them by now. */
export class SlotsLostError extends Error {
  override readonly name = "SlotsLostError";
  /** Until when the slots were held for certain, in milliseconds since 1970. */
  readonly heldUntil: number;

  constructor(message: string, options: { readonly heldUntil: number; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.heldUntil = options.heldUntil;
  }
}

/** One request waits this long; the place in line is kept from one to the next. */
const WAIT_SECONDS = 20;
const RETRY_MS = 500;

/**
 * Calls `fn` while holding slots of the limits named, of all of them together, and gives them back when it ends.
 *
 * Waits in line; throws {@link TimedOutError} after `timeoutMs`, and `SluiceError` (validation) for more slots than a
 * limit has. With `strict` it throws for a name without a limit, and {@link SlotsLostError} if the slots were lost
 * before `fn` ended. Without a control plane there are no limits.
 */
export async function concurrency<T>(
  names: string | readonly string[],
  options: ConcurrencyOptions,
  fn: (held: HeldSlots) => T | Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const held = await acquire(names, options, "concurrency");
  if (held === null) return fn({ signal: lost.signal });
  const stop = keepAlive(held, options.leaseMs ?? 30_000, (error) => lost.abort(error));
  try {
    const result = await fn({ signal: lost.signal });
    if (options.strict && lost.signal.aborted) throw lost.signal.reason;
    return result;
  } finally {
    stop();
    await giveBack(held);
  }
}

/** Waits until the rate limits named let one more through (or as many as `slots`); throws as {@link concurrency} does. */
export async function rateLimit(names: string | readonly string[], options: SlotOptions = {}): Promise<void> {
  await acquire(names, options, "rate_limit");
}

/** Waits for a slot of a limit that has to exist, and answers what gives it back. Throws as {@link concurrency} does. */
export async function holdSlot(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const held = await acquire(name, { strict: true, signal }, "concurrency");
  if (held === null) throw new Error(`Nothing limits "${name}".`);
  const stop = keepAlive(held, 30_000, () => undefined);
  return async () => {
    stop();
    await giveBack(held);
  };
}

/** How long it is believed that no limit has one of some tags. */
const NO_LIMIT_MS = 5_000;
const unlimited = new Map<string, number>();

/**
 * Waits for a slot of each limit that one of the tags has (`tag:NAME`), for a task run; answers what gives them back, null
 * where nothing limits. The control plane is asked once in five seconds as long as there is no such limit.
 */
export async function holdTags(
  tags: readonly string[],
  taskRunId: string,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | null> {
  const client = configuredClient();
  if (client === null) return null;
  const names = tags.map((tag) => `tag:${tag}`);
  const known = `${client.url} ${names.join(",")}`;
  if ((unlimited.get(known) ?? 0) > performance.now()) return null;
  const held = await acquire(names, { signal, leaseMs: TAG_LEASE_MS }, "concurrency", {
    type: "task_run",
    id: taskRunId,
  });
  if (held === null) {
    unlimited.set(known, performance.now() + NO_LIMIT_MS);
    return null;
  }
  const stop = keepAlive(held, TAG_LEASE_MS, () => undefined);
  return async () => {
    stop();
    await giveBack(held);
  };
}

const TAG_LEASE_MS = 60_000;

interface Held {
  readonly client: ApiClient;
  readonly leaseId: string;
  readonly names: readonly string[];
}

/** Null when nothing limits: there is no control plane, or none of the names has a limit. */
async function acquire(
  given: string | readonly string[],
  { slots = 1, timeoutMs, strict = false, priority, signal, leaseMs = 30_000 }: ConcurrencyOptions,
  mode: "concurrency" | "rate_limit",
  holder: LeaseHolder | null = holderHere(),
): Promise<Held | null> {
  const names = typeof given === "string" ? [given] : [...new Set(given)];
  const client = configuredClient();
  if (names.length === 0) return null;
  if (client === null) {
    if (!strict) return null;
    throw new SluiceError("not_configured", `There is no control plane that keeps the limits ${names.join(", ")}.`, {
      fix: "Set SLUICE_API_URL, or leave `strict` out to run without limits.",
    });
  }
  const started = clock().now();
  const body = {
    names,
    slots,
    mode,
    strict,
    lease_seconds: leaseMs / 1_000,
    waiter_id: crypto.randomUUID(),
    holder,
    ...(priority === undefined ? {} : { priority }),
  };
  const stopped = anyOf([signal, scopeSignal()]);
  for (;;) {
    const leftMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs - (clock().now() - started);
    try {
      const wait_seconds = Math.max(0, Math.min(WAIT_SECONDS, leftMs / 1_000));
      const lease: ConcurrencyLease = await client.call(
        acquireSlots,
        { body: { ...body, wait_seconds } },
        stopped ? { signal: stopped } : {},
      );
      return lease.limits.length === 0 ? null : { client, leaseId: lease.lease_id, names };
    } catch (error) {
      if (!isWorthAnotherTry(error)) throw error;
      if (leftMs <= 0) throw new TimedOutError(`Waiting for slots of ${names.join(", ")}`, timeoutMs ?? 0);
      const isFull = error instanceof SluiceError && error.code === "locked";
      if (!isFull) await pause(Math.min(RETRY_MS, leftMs), stopped);
    }
  }
}

/**
 * Renews at a third of the lease; answers what ends that. The slots count as lost at the moment until which the last
 * renewal holds, whatever becomes of the next one: the control plane may give them to others from then on.
 */
function keepAlive({ client, leaseId, names }: Held, leaseMs: number, onLost: (error: Error) => void): () => void {
  let isOver = false;
  let renewedAt = clock().now();
  let cancelNext = (): void => undefined;
  let cancelEnd = (): void => undefined;
  const stop = (): void => {
    isOver = true;
    cancelNext();
    cancelEnd();
  };
  const lose = (heldUntil: number, cause?: unknown): void => {
    if (isOver) return;
    stop();
    const message = `The slots of ${names.join(", ")} were lost while they were in use.`;
    onLost(new SlotsLostError(message, { heldUntil, cause }));
  };
  const next = (): void => {
    cancelNext = clock().after(seconds(leaseMs / 3_000), () => void renew());
  };
  const hold = (from: EpochMs): void => {
    renewedAt = from;
    cancelEnd();
    const leftMs = Math.max(0, from + leaseMs - clock().now());
    cancelEnd = clock().after(ms(leftMs), () => lose(from + leaseMs));
  };
  const renew = async (): Promise<void> => {
    const from = clock().now();
    try {
      await client.call(
        renewConcurrencyLease,
        { params: { id: leaseId }, body: { lease_duration: leaseMs / 1_000 } },
        { idempotent: true, patienceMs: leaseMs / 3 },
      );
      if (!isOver) hold(from);
    } catch (error) {
      if (error instanceof SluiceError && error.code === "gone") lose(renewedAt, error);
    }
    if (!isOver) next();
  };
  hold(renewedAt);
  next();
  return stop;
}

async function giveBack({ client, leaseId, names }: Held): Promise<void> {
  try {
    await client.call(decrementSlotsWithLease, { body: { lease_id: leaseId } }, { idempotent: true });
  } catch (error) {
    // What was done with the slots is done; they come back by themselves when the lease ends.
    if (currentScope())
      logger().warn(`The slots of ${names.join(", ")} could not be given back at once.`, { error: String(error) });
  }
}

/** Everything but a refusal may pass: no free slot, or nobody there. */
function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof SluiceError)
    return error.code === "locked" || error.code === "overloaded" || error.code === "not_ready";
  return error instanceof Error && error.name === "ApiUnreachableError";
}

function holderHere(): LeaseHolder | null {
  const scope = currentScope();
  if (scope?.task) return { type: "task_run", id: scope.task.taskRunId };
  return scope?.flow ? { type: "flow_run", id: scope.flow.flowRunId } : null;
}

function scopeSignal(): AbortSignal | undefined {
  const scope = currentScope();
  return scope?.task?.signal ?? scope?.flow?.signal;
}

function anyOf(signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length === 0 ? undefined : AbortSignal.any(given);
}
