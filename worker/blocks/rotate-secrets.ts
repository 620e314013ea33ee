/** Moving secrets of blocks from older master keys to the newest. */
import {
  countDocumentsWithKeys,
  countDocumentsWithOtherKeys,
  documentsWithKeys,
  replaceDocument,
} from "../db/queries/block-documents.ts";
import { sealAnew } from "./document-secrets.ts";
import { type Rotated, rotateSealed } from "./rotate-sealed.ts";

export function rotateSecrets(env: Env, limit: number): Promise<Rotated> {
  return rotateSealed(env, limit, {
    withKeys: documentsWithKeys,
    countWithKeys: countDocumentsWithKeys,
    countWithOtherKeys: countDocumentsWithOtherKeys,
    sealAnew: (of, row) => sealAnew(of, row.id, row.secrets ?? ""),
    replace: replaceDocument,
  });
}
