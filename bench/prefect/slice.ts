/** A short load of one server, the same for each, with a count of what it should not have answered. */
import { type JsonClient, jsonClient } from "../http.ts";
import { percentiles } from "../load.ts";
import type { Contender } from "./contenders.ts";

/** A request without an answer for so long is lost. Prefect's own client gives up after a minute. */
const LOST_AFTER_MS = 30_000;
/** After this time behind its end, a slice begins no further request. */
const GRACE_MS = 15_000;

/** What went wrong in all loads so far. */
export class Faults {
  /** Answers of 500 and above. */
  serverErrors = 0;
  /** Requests whose connection broke, or that were not answered in time. */
  lost = 0;
}

/** Ends the step of one caller: the server answered what no load can go on with. */
export class Refused extends Error {}

export interface Slice {
  /** Steps that came to their end, per second of the time until the last of them did. */
  readonly rate: number;
  readonly completed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface SliceOptions {
  readonly contender: Contender;
  readonly faults: Faults;
  /** Each has a connection of its own. */
  readonly callers: number;
  /** No step begins later; all that have begun come to their end, so that slow servers are not credited with them. */
  readonly durationMs: number;
}

export interface Caller {
  readonly index: number;
  /** Counts faults and throws `Refused` unless the answer is one of 200 to 299. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** A duration to take the percentiles of; by default those of whole steps are taken. */
  note(durationMs: number): void;
}

/**
 * A client for what is not part of a load but must work: it asks again, up to three times, when a connection breaks.
 * Connections are few, and closed at the end.
 */
export async function withClient<T>({ origin }: Contender, act: (client: JsonClient) => Promise<T>): Promise<T> {
  const client = jsonClient(origin, { connections: 16 });
  const call: JsonClient["call"] = async (method, path, body) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await client.call(method, path, body);
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  };
  try {
    return await act({ ...client, call });
  } finally {
    client.close();
  }
}

export async function slice(
  { contender, faults, callers, durationMs }: SliceOptions,
  step: (caller: Caller) => Promise<void>,
): Promise<Slice> {
  // Connections of this slice only: a server may have closed those of the last one, which would look like a loss.
  const client = jsonClient(contender.origin, { connections: callers, timeoutMs: LOST_AFTER_MS });
  const durations: number[] = [];
  const noted: number[] = [];
  const begin = performance.now();
  const end = begin + durationMs;
  let last = begin;
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    if (performance.now() > end + GRACE_MS) throw new Refused("The slice is over.");
    const answer = await client.call<T>(method, path, body).catch((error: unknown) => {
      faults.lost += 1;
      throw new Refused("A request was lost.", { cause: error });
    });
    if (answer.status >= 500) faults.serverErrors += 1;
    if (answer.status < 200 || answer.status >= 300) throw new Refused(`${path} answered ${answer.status}.`);
    return answer.body;
  };
  await Promise.all(
    Array.from({ length: callers }, async (_, index) => {
      const caller: Caller = { index, call, note: (ms) => noted.push(ms) };
      for (let now = performance.now(); now < end; now = performance.now()) {
        try {
          await step(caller);
          last = performance.now();
          durations.push(last - now);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
        }
      }
    }),
  );
  client.close();
  const completed = durations.length;
  const rate = completed === 0 ? 0 : (completed * 1000) / (last - begin);
  return { rate, completed, ...percentiles(noted.length > 0 ? noted : durations) };
}
