/** The keys with which the embedded server keeps secrets of blocks. */
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { ServerError } from "./errors.ts";

const KEY_BYTES = 32;

/**
 * The value of SLUICE_ENCRYPTION_KEYS for the Worker. Given keys (32 bytes in base64 each, separated by commas, the one
 * that writes first) come before the key that the file holds, so that what was written without them stays readable.
 * Without given keys and without a file, a key is made and kept in the file, which nobody but this user may read.
 *
 * Throws `encryption_key_invalid`.
 */
export function encryptionKeys(file: string, given: string | undefined): string {
  const keys = readKeys(given ?? "", "SLUICE_ENCRYPTION_KEYS");
  const kept = readKeys(readIfThere(file), file);
  if (keys.length > 0 || kept.length > 0) return [...new Set([...keys, ...kept])].join(",");
  const made = randomBytes(KEY_BYTES).toString("base64");
  // Whole or not at all: secrets that are written with a lost key are lost.
  writeFileSync(`${file}.new`, `${made}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return made;
}

function readKeys(text: string, where: string): string[] {
  const keys = text.split(/[\s,]+/).filter((key) => key !== "");
  for (const [at, key] of keys.entries()) {
    if (Buffer.from(key, "base64").length === KEY_BYTES) continue;
    throw new ServerError("encryption_key_invalid", `Key ${at + 1} of ${where} is not 32 bytes in base64.`, {
      fix: "Put the right key there, the newest first; a new one is made by: openssl rand -base64 32",
    });
  }
  return keys;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
