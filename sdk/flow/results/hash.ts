/** Hashes by which results are found again. */
import { NotSerialisableError, stringify } from "./json-values.ts";

/** SHA-256 of bytes, or of a text as UTF-8, as hexadecimal digits. */
export async function sha256(given: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  let hex = "";
  for (const byte of digest) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Values that have no hash: what in them is why. */
export class UnhashableError extends Error {
  override readonly name = "UnhashableError";
}

/** Equal values have equal texts, whatever the order of their keys. Throws {@link UnhashableError}. */
export function canonical(value: unknown, name: string): string {
  try {
    return stringify(value, { name, sorted: true });
  } catch (cause) {
    if (!(cause instanceof NotSerialisableError)) throw cause;
    throw new UnhashableError(cause.message.split(", which")[0] ?? cause.message, { cause });
  }
}
