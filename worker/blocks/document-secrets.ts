/** The data of a block document, between the two forms it has: whole, and shown with its secrets sealed beside it. */
import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import type { BlockDocumentRow } from "../db/queries/block-documents.ts";
import { parseExact } from "./exact-json.ts";
import { openKeyring, seal, unseal } from "./keyring.ts";
import { joinSecrets, type SecretAt, splitSecrets } from "./secret-fields.ts";

type Json = Record<string, unknown>;

/** The columns in which data is kept. */
export type StoredData = Pick<BlockDocumentRow, "shown" | "secrets" | "secretsKeyId">;

/** Takes the secrets out of data and seals them. Throws `not_configured` if there are any and no key. */
export async function sealData(env: Env, id: string, data: Json, secretFields: readonly string[]): Promise<StoredData> {
  const bytes = new TextEncoder().encode(JSON.stringify(data)).byteLength;
  if (bytes > LIMITS.blockBytes) throw tooLarge(bytes);
  const { shown, secrets } = splitSecrets(data, secretFields);
  if (secrets.length === 0) return { shown: JSON.stringify(shown), secrets: null, secretsKeyId: null };
  return { shown: JSON.stringify(shown), ...(await sealSecrets(env, id, JSON.stringify(secrets))) };
}

/** The data without its secrets. */
export function shownData(row: StoredData): Json {
  return parseExact(row.shown) as Json;
}

/** The data with its secrets. Throws `not_configured` if their key is not there. */
export async function wholeData(env: Env, row: BlockDocumentRow): Promise<Json> {
  if (row.secrets === null) return shownData(row);
  const text = await unseal(await openKeyring(env), row.secrets, ownerOf(row.id));
  return joinSecrets(shownData(row), parseExact(text) as SecretAt[]);
}

/** The same secrets, under the newest key and a new data key. */
export async function sealAnew(env: Env, id: string, secrets: string): Promise<Omit<StoredData, "shown">> {
  return sealSecrets(env, id, await unseal(await openKeyring(env), secrets, ownerOf(id)));
}

async function sealSecrets(env: Env, id: string, text: string): Promise<Omit<StoredData, "shown">> {
  const { keyId, envelope } = await seal(await openKeyring(env), text, ownerOf(id));
  return { secrets: envelope, secretsKeyId: keyId };
}

function ownerOf(id: string): string {
  return `block document ${id}`;
}

function tooLarge(bytes: number): SluiceError {
  return new SluiceError("validation", `The data has ${bytes} bytes; ${LIMITS.blockBytes} are allowed.`, {
    fix: "Keep large data in storage of your own, and put into the block where it is.",
    issues: [{ loc: ["body", "data"], msg: "is too large", type: "too_big", input: bytes }],
  });
}
