/** Slots of concurrency limits that the control plane keeps, for all processes together. */
import { configuredClient } from "./configuration.ts";

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
  const { acquire, giveBack, keepAlive } = await import("./held-slots.ts");
  const lost = new AbortController();
  const held = await acquire(names, options, "concurrency");
  if (held === null) return fn({ signal: lost.signal });
  const stop = keepAlive(held, (error) => lost.abort(error));
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
  const { acquire } = await import("./held-slots.ts");
  await acquire(names, options, "rate_limit");
}

/** Waits for a slot of a limit that has to exist, and answers what gives it back. Throws as {@link concurrency} does. */
export async function holdSlot(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const { acquire, giveBack, keepAlive } = await import("./held-slots.ts");
  const held = await acquire(name, { strict: true, signal }, "concurrency");
  if (held === null) throw new Error(`Nothing limits "${name}".`);
  const stop = keepAlive(held, () => undefined);
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
  const { acquire, giveBack, keepAlive } = await import("./held-slots.ts");
  const held = await acquire(names, { signal, leaseMs: TAG_LEASE_MS }, "concurrency", {
    type: "task_run",
    id: taskRunId,
  });
  if (held === null) {
    unlimited.set(known, performance.now() + NO_LIMIT_MS);
    return null;
  }
  const stop = keepAlive(held, () => undefined);
  return async () => {
    stop();
    await giveBack(held);
  };
}

const TAG_LEASE_MS = 60_000;
