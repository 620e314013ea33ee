/** Takes slots of limits by their names: looks them up, asks the home of the lease, and waits there if that is wished. */
import type { LeaseHolder, MinimalConcurrencyLimit } from "#protocol/concurrency-limits";
import { notFound, SluiceError } from "#protocol/errors";
import type { EpochMs } from "#protocol/time";
import { ASK_HEADER, type SlotAsk, WAIT_CLOSE, type WaitFrame } from "../durable-objects/concurrency-limit-owner.ts";
import { limitObjectName, newLeaseId } from "../durable-objects/lease-id.ts";
import { limitOwner } from "../durable-objects/limit-owner.ts";
import { type LimitRow, limitsNamed } from "./db/queries/concurrency-limits.ts";
import { limitSettings } from "./limit-settings.ts";

const DEFAULT_PRIORITY = 100;

export interface SlotRequest {
  readonly names: readonly string[];
  readonly slots: number;
  readonly mode: "concurrency" | "rate_limit";
  /** Null holds the slots until they are given back. */
  readonly ttlMs: number | null;
  readonly holder: LeaseHolder | null;
  /** Whether a name without a limit is an error. */
  readonly strict?: boolean;
  readonly priority?: number;
  readonly waiterId?: string;
  /** Absent for those who cannot wait here at all. */
  readonly waitMs?: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface Slots {
  readonly leaseId: string;
  /** In the order of the names. Also those that are not active. */
  readonly limits: MinimalConcurrencyLimit[];
}

/** Takes all the slots. Throws `locked` when there are none, `validation` when there never can be. */
export async function acquireSlots(env: Env, request: SlotRequest): Promise<Slots> {
  const giveUpAt = Date.now() + (request.waitMs ?? 0);
  for (;;) {
    const rows = await limitsNamed(env, request.names);
    const missing = request.strict ? request.names.find((name) => !rows.some((row) => row.name === name)) : undefined;
    if (missing !== undefined) {
      throw notFound("Concurrency limit", `"${missing}"`, `Create it first: sluice limit create ${missing} --limit 1`);
    }
    const active = rows.filter((row) => row.active);
    refuseImpossible(active, request);
    const ask = askFor(active, request);
    const taken = (leaseId: string): Slots => ({ leaseId, limits: inOrder(rows, request.names) });
    if (active.length === 0) return taken(ask.leaseId);
    const leftMs = giveUpAt - Date.now();
    const answer = await limitOwner(env.CONCURRENCY_LIMITS, ask.leaseId).acquire(ask, leftMs <= 0);
    if (answer.kind === "granted") return taken(ask.leaseId);
    const blocking = active.find((row) => row.id === answer.limitId)?.name ?? "";
    if (leftMs <= 0) throw locked(blocking, answer.retryAfterMs / 1_000);
    const outcome = await waitInLine(env, ask, leftMs, request.signal);
    if (outcome.kind === "granted") return taken(outcome.leaseId);
    // The place in line is kept; the caller may ask again at once.
    if (outcome.kind === "over" || Date.now() >= giveUpAt) throw locked(blocking, 0);
  }
}

/** Somebody gives up its place, wherever in the lines of these limits it stands. */
export async function leaveLines(env: Env, names: readonly string[], waiterId: string): Promise<void> {
  const rows = await limitsNamed(env, names);
  await Promise.all(rows.map(({ id }) => limitOwner(env.CONCURRENCY_LIMITS, id).abandon(waiterId)));
}

function refuseImpossible(active: readonly LimitRow[], { slots, mode, waitMs }: SlotRequest): void {
  // Who may wait may wait for a limit that is paused by 0, also in a last question; nobody waits for more than a limit has.
  const tooSmall = active.find((row) => row.slotLimit < slots && !(waitMs !== undefined && row.slotLimit === 0));
  if (tooSmall) {
    throw new SluiceError("validation", "Slots requested is greater than the limit", {
      fix: `Ask for at most ${tooSmall.slotLimit} slots of "${tooSmall.name}" (got ${slots}), or raise its limit.`,
    });
  }
  const steady = mode === "rate_limit" ? active.filter((row) => row.slotDecayPerSecond === 0) : [];
  if (steady.length === 0) return;
  const names = steady.map((row) => row.name).join(",");
  throw new SluiceError(
    "validation",
    "Only concurrency limits with slot decay can be used for rate limiting. " +
      `The following limits do not have a decay configured: '${names}'`,
    { fix: "Give them a slot_decay_per_second above 0, or use them as concurrency limits." },
  );
}

function askFor(active: readonly LimitRow[], request: SlotRequest): SlotAsk {
  const { slots, ttlMs, holder, waiterId, priority = DEFAULT_PRIORITY } = request;
  const key = waiterId ?? (holder === null ? null : `${holder.type}:${holder.id}:${slots}`);
  return {
    leaseId: newLeaseId(active[0]?.id ?? null, Date.now() as EpochMs),
    limits: active.map(limitSettings),
    slots,
    ttlMs,
    holder,
    asker: { key, priority },
  };
}

type WaitOutcome = { readonly kind: "granted"; readonly leaseId: string } | { readonly kind: "changed" | "over" };

/** Waits at the home of the lease, which may sleep meanwhile: the wait is a socket that belongs to this request. */
async function waitInLine(
  env: Env,
  ask: SlotAsk,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<WaitOutcome> {
  const home = env.CONCURRENCY_LIMITS.getByName(limitObjectName(ask.leaseId));
  const response = await home.fetch("http://limit/", {
    headers: { upgrade: "websocket", [ASK_HEADER]: encodeURIComponent(JSON.stringify(ask)) },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`A limit answered ${response.status} to somebody who wanted to wait.`);
  return new Promise((resolve) => {
    const end = (outcome: WaitOutcome, code: number): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      try {
        socket.close(code);
      } catch {
        // It is closed already, and the limit knows.
      }
      resolve(outcome);
    };
    const leave = (): void => end({ kind: "over" }, 1000);
    const timer = setTimeout(() => end({ kind: "over" }, WAIT_CLOSE.comesBack), waitMs);
    signal?.addEventListener("abort", leave);
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as WaitFrame;
      if (frame.type === "granted") end({ kind: "granted", leaseId: frame.lease_id }, WAIT_CLOSE.taken);
      else if (frame.type === "left") leave();
      else end({ kind: "changed" }, WAIT_CLOSE.comesBack);
    });
    // A limit that went away is asked again.
    socket.addEventListener("close", () => end({ kind: "changed" }, 1000));
    socket.accept();
    if (signal?.aborted) leave();
  });
}

/** What a client is told of limits, in the order in which it named them. */
export function inOrder(rows: readonly LimitRow[], names: readonly string[]): MinimalConcurrencyLimit[] {
  return [...rows]
    .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
    .map(({ id, name, slotLimit }) => ({ id, name, limit: slotLimit }));
}

function locked(limit: string, retryAfterSeconds: number): SluiceError {
  return new SluiceError("locked", `No slot of the concurrency limit "${limit}" is free.`, {
    fix: "Ask again after the time in Retry-After; until twice that time your place in line is kept.",
    retryAfterSeconds,
  });
}
