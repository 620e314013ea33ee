/** A stored result: one line of JSON that says what it is, and the bytes of the value behind it. */
import type { EpochMs } from "../../protocol/time.ts";
import type { Serializer } from "./serializer.ts";

/** What is known of a stored result besides its value. */
export interface RecordHead {
  readonly version: 1;
  /** Name of the serializer. */
  readonly serializer: string;
  readonly createdAt: number;
  /** Null for one that stays good. */
  readonly expiresAt: number | null;
  readonly taskKey: string;
  /** Of the task run that it was made by, or that last took it over. */
  readonly dynamicKey: string;
}

/** A stored result that cannot be used, and why. */
export class UnreadableResultError extends Error {
  override readonly name = "UnreadableResultError";
}

const NEWLINE = 10;

export async function writeRecord(head: RecordHead, value: unknown, serializer: Serializer): Promise<Uint8Array> {
  return join(head, await serializer.encode(value));
}

/** The same result with another head. */
export function withHead(head: RecordHead, bytes: Uint8Array): Uint8Array {
  return join(head, bytes.subarray(bytes.indexOf(NEWLINE) + 1));
}

/** Throws {@link UnreadableResultError}. */
export function readHead(bytes: Uint8Array): RecordHead {
  try {
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(NEWLINE)))) as RecordHead;
    if (head.version === 1 && typeof head.serializer === "string") return head;
  } catch (cause) {
    throw new UnreadableResultError("it is damaged", { cause });
  }
  throw new UnreadableResultError("it was written by another version");
}

/** Throws {@link UnreadableResultError}. */
export async function readValue(head: RecordHead, bytes: Uint8Array, serializer: Serializer): Promise<unknown> {
  if (head.serializer !== serializer.name) {
    throw new UnreadableResultError(`it was written by the serializer "${head.serializer}", not "${serializer.name}"`);
  }
  try {
    return await serializer.decode(bytes.subarray(bytes.indexOf(NEWLINE) + 1));
  } catch (cause) {
    throw new UnreadableResultError("it cannot be decoded", { cause });
  }
}

export function isExpired(head: RecordHead, now: EpochMs): boolean {
  return head.expiresAt !== null && head.expiresAt <= now;
}

function join(head: RecordHead, payload: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const all = new Uint8Array(line.length + payload.length);
  all.set(line);
  all.set(payload, line.length);
  return all;
}
