/** Takes slots of concurrency limits, keeps them, gives them back. Loaded when slots are first wanted. */
import type { ApiClient } from "../client/api-client.ts";
import { pause } from "../client/jitter.ts";
import {
  acquireSlots,
  type ConcurrencyLease,
  decrementSlotsWithLease,
  type LeaseHolder,
  leaveConcurrencyLine,
  renewConcurrencyLease,
} from "../protocol/concurrency-limits.ts";
import { SluiceError } from "../protocol/errors.ts";
import { type EpochMs, ms } from "../protocol/time.ts";
import { clock, configuredClient } from "./configuration.ts";
import { parseDuration } from "./duration.ts";
import { currentScope, runSignal } from "./engine/scope.ts";
import { TimedOutError } from "./errors.ts";
import { type ConcurrencyOptions, SlotsLostError } from "./limits.ts";
import { logger } from "./logger.ts";

/** One request waits this long; the place in line is kept from one to the next. */
const WAIT_SECONDS = 20;
const RETRY_MS = 500;

/** Slots that were taken. */
export interface Held {
  readonly client: ApiClient;
  readonly leaseId: string;
  readonly names: readonly string[];
  readonly leaseMs: number;
  /** Before they were taken or renewed: until a lease after it they are held for certain. */
  readonly since: EpochMs;
}

/** Null when nothing limits: there is no control plane, or none of the names has a limit. */
export async function acquire(
  given: string | readonly string[],
  { slots = 1, timeout, strict = false, priority, signal, lease: leaseSpan = 30_000 }: ConcurrencyOptions,
  mode: "concurrency" | "rate_limit",
  holder: LeaseHolder | null = holderHere(),
): Promise<Held | null> {
  const names = typeof given === "string" ? [given] : [...new Set(given)];
  const what = mode === "rate_limit" ? "rateLimit()" : "concurrency()";
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, `${what} option "timeout"`);
  const leaseMs = parseDuration(leaseSpan, `${what} option "lease"`);
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
  const stopped = anyOf([signal, runSignal()]);
  for (;;) {
    const leftMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs - (clock().now() - started);
    try {
      const wait_seconds = Math.max(0, Math.min(WAIT_SECONDS, leftMs / 1_000));
      const since = clock().now();
      const lease: ConcurrencyLease = await client.call(
        acquireSlots,
        { body: { ...body, wait_seconds } },
        stopped ? { signal: stopped } : {},
      );
      if (lease.limits.length === 0) return null;
      const taken: Held = { client, leaseId: lease.lease_id, names, leaseMs, since };
      const held = mode === "rate_limit" ? taken : await assured(taken);
      if (held !== null) return held;
    } catch (error) {
      if (stopped?.aborted) await leaveLine(client, names, body.waiter_id);
      if (!isWorthAnotherTry(error)) throw error;
      if (leftMs <= 0) throw new TimedOutError(`Waiting for slots of ${names.join(", ")}`, timeoutMs ?? 0);
      const isFull = error instanceof SluiceError && error.code === "locked";
      if (!isFull) await pause(Math.min(RETRY_MS, leftMs), stopped);
    }
  }
}

/** For how long somebody who is to stop tries to say that it waits no more. */
const LEAVE_WITHIN_MS = 1_000;

/** Gives up the place, so that no slots are handed to somebody who has gone. If that fails, they come back with the lease. */
async function leaveLine(client: ApiClient, names: readonly string[], waiterId: string): Promise<void> {
  const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
  const left = client.call(
    leaveConcurrencyLine,
    { body: { names: [...names], waiter_id: waiterId } },
    { signal, patienceMs: 0 },
  );
  await left.catch(() => undefined);
}

/**
 * Slots that are held now; null when they are lost already. Nobody knows when in a long wait they were given, nor for how
 * long the answer lay about on a machine that was busy: they are renewed then, before anything relies on them.
 */
async function assured(taken: Held): Promise<Held | null> {
  if (ageMs(taken) <= taken.leaseMs / 3) return taken;
  try {
    let held = await renewed(taken);
    while (ageMs(held) >= held.leaseMs) held = await renewed(held);
    return held;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function ageMs({ since }: Held): number {
  return clock().now() - since;
}

async function renewed(held: Held): Promise<Held> {
  const since = clock().now();
  await held.client.call(
    renewConcurrencyLease,
    { params: { id: held.leaseId }, body: { lease_duration: held.leaseMs / 1_000 } },
    { idempotent: true, patienceMs: held.leaseMs / 3 },
  );
  return { ...held, since };
}

function isGone(error: unknown): boolean {
  return error instanceof SluiceError && error.code === "gone";
}

/**
 * Renews at a third of the lease; answers what ends that. The slots count as lost at the moment until which the last
 * renewal holds, whatever becomes of the next one: the control plane may give them to others from then on.
 */
export function keepAlive(taken: Held, onLost: (error: Error) => void): () => void {
  const { names, leaseMs } = taken;
  let held = taken;
  let isOver = false;
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
  const next = (spanMs: number): void => {
    cancelNext = clock().after(ms(Math.max(0, spanMs)), () => void renew());
  };
  const hold = (): void => {
    cancelEnd();
    const { since } = held;
    cancelEnd = clock().after(ms(Math.max(0, leaseMs - ageMs(held))), () => lose(since + leaseMs));
  };
  const renew = async (): Promise<void> => {
    try {
      held = await renewed(held);
      if (!isOver) hold();
    } catch (error) {
      if (isGone(error)) lose(held.since, error);
    }
    if (!isOver) next(leaseMs / 3);
  };
  hold();
  next(leaseMs / 3 - ageMs(held));
  return stop;
}

export async function giveBack({ client, leaseId, names }: Held): Promise<void> {
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

function anyOf(signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length === 0 ? undefined : AbortSignal.any(given);
}
