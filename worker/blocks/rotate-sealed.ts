/** Moving what is encrypted from older master keys to the newest, whatever table it stands in. */
import { SluiceError } from "#protocol/errors";
import { openKeyring } from "./keyring.ts";

/** Stands before the id of a key with which a secret could not be read, although the key is there. */
const BROKEN = "broken ";

/** What a page of a rotation came to. */
export interface Rotated {
  readonly rotated: number;
  /** Rows that are still encrypted with an older key. */
  readonly remaining: number;
  /** Rows whose key is not there, or does not fit. */
  readonly unreadable: number;
}

/** The columns that a change of key writes. */
interface SealedColumns {
  readonly secrets?: string | null;
  readonly secretsKeyId?: string | null;
}

/** The rows of one table that hold something encrypted. */
export interface SealedRows<R extends { readonly secretsKeyId: string | null }, C extends SealedColumns> {
  /** Up to `limit` rows that are encrypted with one of these keys. */
  withKeys(env: Env, keyIds: readonly string[], limit: number): Promise<readonly R[]>;
  countWithKeys(env: Env, keyIds: readonly string[]): Promise<number>;
  /** Rows that are encrypted with none of these keys. */
  countWithOtherKeys(env: Env, keyIds: readonly string[]): Promise<number>;
  /** The row's secrets under the newest key. Throws `not_configured` for what cannot be read. */
  sealAnew(env: Env, row: R): Promise<C>;
  /** False when the row has changed meanwhile. */
  replace(env: Env, row: R, columns: C | { readonly secretsKeyId: string }): Promise<boolean>;
}

/** Encrypts a page of rows anew. A row that changes meanwhile is left for the next page. */
export async function rotateSealed<R extends { readonly secretsKeyId: string | null }, C extends SealedColumns>(
  env: Env,
  limit: number,
  rows: SealedRows<R, C>,
): Promise<Rotated> {
  const ids = (await openKeyring(env)).keys.map((key) => key.id);
  const older = ids.slice(1).filter((id) => id !== ids[0]);
  let rotated = 0;
  for (const row of older.length === 0 ? [] : await rows.withKeys(env, older, limit)) {
    const sealed = await sealedOrSetAside(env, row, rows);
    if ((await rows.replace(env, row, sealed)) && "secrets" in sealed) rotated += 1;
  }
  return {
    rotated,
    remaining: older.length === 0 ? 0 : await rows.countWithKeys(env, older),
    unreadable: await rows.countWithOtherKeys(env, ids),
  };
}

/** What cannot be read is set aside as it is, so that it does not stop the rotation of the others. */
async function sealedOrSetAside<R extends { readonly secretsKeyId: string | null }, C extends SealedColumns>(
  env: Env,
  row: R,
  rows: SealedRows<R, C>,
): Promise<C | { readonly secretsKeyId: string }> {
  try {
    return await rows.sealAnew(env, row);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "not_configured") throw error;
    return { secretsKeyId: `${BROKEN}${row.secretsKeyId}` };
  }
}
