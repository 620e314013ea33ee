/** Slots of concurrency limits that the control plane keeps, for all processes together. */
import { configuredClient } from "./configuration.ts";
import type { Duration } from "./duration.ts";

/** How slots are asked for. */
export interface SlotOptions {
  /** Slots of each limit. Default 1. */
  readonly slots?: number;
  /** For how long to wait for them: `"30s"`, or milliseconds; 0 does not wait. Default: as long as it takes. */
  readonly timeout?: Duration;
  /** Whether a name that has no limit is an error. Default false: it limits nothing. */
  readonly strict?: boolean;
  /** Place in line: 1 is the most urgent. Default 100; equals are served in the order in which they asked. */
  readonly priority?: number;
  /** Ends the wait. Inside of a flow or task its own signal does so, too. */
  readonly signal?: AbortSignal;
}

/** How slots are taken and kept. Everything may be left out. */
export interface ConcurrencyOptions extends SlotOptions {
  /** For how long the slots stay taken when this process dies: from `"1s"` to `"1d"`, or milliseconds. Default `"30s"`. */
  readonly lease?: Duration;
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

/** Slots that are held until they are disposed of. */
export interface SlotsInUse extends HeldSlots, AsyncDisposable {}

/**
 * Calls `fn` while holding slots of the limits named, of all of them together, and gives them back when it ends. Without
 * `fn` they are held to the end of a block: `await using slots = await concurrency("database")`.
 *
 * Waits in line; throws {@link TimedOutError} after `timeout`, TypeError for a span that is none, and `SluiceError`
 * (validation) for more slots than a limit has. With `strict` it throws for a name without a limit, and
 * {@link SlotsLostError} at the end if the slots were lost before. Without a control plane there are no limits.
 */
export function concurrency(names: string | readonly string[], options?: ConcurrencyOptions): Promise<SlotsInUse>;
export function concurrency<T>(
  names: string | readonly string[],
  options: ConcurrencyOptions,
  fn: (held: HeldSlots) => T | Promise<T>,
): Promise<T>;
export async function concurrency<T>(
  names: string | readonly string[],
  options: ConcurrencyOptions = {},
  fn?: (held: HeldSlots) => T | Promise<T>,
): Promise<T | SlotsInUse> {
  const { acquire, giveBack, keepAlive } = await import("./held-slots.ts");
  const lost = new AbortController();
  const held = await acquire(names, options, "concurrency");
  const stop = held === null ? null : keepAlive(held, (error) => lost.abort(error));
  const end = async (): Promise<void> => {
    stop?.();
    if (held !== null) await giveBack(held);
  };
  const endWhole = async (): Promise<void> => {
    await end();
    if (options.strict && lost.signal.aborted) throw lost.signal.reason;
  };
  if (fn === undefined) return { signal: lost.signal, [Symbol.asyncDispose]: endWhole };
  let result: T;
  try {
    result = await fn({ signal: lost.signal });
  } catch (error) {
    await end();
    throw error;
  }
  await endWhole();
  return result;
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
  const held = await acquire(names, { signal, lease: TAG_LEASE_MS }, "concurrency", {
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
