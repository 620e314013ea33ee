/** Moving secrets from older master keys to the newest. */
import { SluiceError } from "#protocol/errors";
import {
  type BlockDocumentRow,
  countDocumentsWithKeys,
  countDocumentsWithOtherKeys,
  documentsWithKeys,
  replaceDocument,
} from "../db/queries/block-documents.ts";
import { sealAnew } from "./document-secrets.ts";
import { openKeyring } from "./keyring.ts";

/** Stands before the id of a key with which a document's secrets could not be read, although the key is there. */
const BROKEN = "broken ";

/** Encrypts a page of secrets anew. A document that changes meanwhile is left for the next page. */
export async function rotateSecrets(
  env: Env,
  limit: number,
): Promise<{ rotated: number; remaining: number; unreadable: number }> {
  const ids = (await openKeyring(env)).keys.map((key) => key.id);
  const older = ids.slice(1).filter((id) => id !== ids[0]);
  let rotated = 0;
  for (const row of older.length === 0 ? [] : await documentsWithKeys(env, older, limit)) {
    const sealed = await sealedAnew(env, row);
    if ((await replaceDocument(env, row, sealed)) && sealed.secrets !== undefined) rotated += 1;
  }
  return {
    rotated,
    remaining: older.length === 0 ? 0 : await countDocumentsWithKeys(env, older),
    unreadable: await countDocumentsWithOtherKeys(env, ids),
  };
}

/** Secrets that cannot be read are set aside as they are, so that they do not stop the rotation of the others. */
async function sealedAnew(env: Env, row: BlockDocumentRow): Promise<Partial<BlockDocumentRow>> {
  try {
    return await sealAnew(env, row.id, row.secrets ?? "");
  } catch (error) {
    if (error instanceof SluiceError && error.code === "not_configured") {
      return { secretsKeyId: `${BROKEN}${row.secretsKeyId}` };
    }
    throw error;
  }
}
