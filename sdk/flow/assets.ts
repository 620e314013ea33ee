/** Assets: data that tasks make, by address, with what it was made from. */
import { currentScope } from "./engine/scope.ts";

/** What is told of an asset beside its address. */
export interface AssetProperties {
  readonly name?: string;
  /** Where people can look at it. */
  readonly url?: string;
  /** At most 2,500 characters. */
  readonly description?: string;
  readonly owners?: readonly string[];
}

/** Data that a task makes or takes: a table, a file, a model. */
export interface Asset {
  /** An address such as `s3://bucket/orders.parquet` or `postgres://db/orders`. */
  readonly key: string;
  /** Null: whatever is known of it stays. */
  readonly properties: AssetProperties | null;
}

/** An asset, or its address. */
export type AssetOrKey = Asset | string;

const MOST_CHARS = 512;
const MOST_DESCRIPTION_CHARS = 2_500;
const REFUSED = /[\s\0#?&%"'<>[\]{}|\\^`]/;

/**
 * Names an asset. Throws TypeError for a key that is no address (`kind://…`, at most 512 characters, none of spaces, quotes,
 * brackets and `#?&%|\^`), and for a description that is too long.
 */
export function asset(key: string, properties: AssetProperties | null = null): Asset {
  const refused = REFUSED.exec(key)?.[0];
  if (refused !== undefined) {
    throw new TypeError(`The asset key ${JSON.stringify(key)} has ${JSON.stringify(refused)} in it. Leave that out.`);
  }
  if (!/^[a-z0-9]+:\/\//.test(key)) {
    throw new TypeError(`The asset key ${JSON.stringify(key)} is no address. Write it as s3://bucket/orders.csv.`);
  }
  if (key.length > MOST_CHARS)
    throw new TypeError(`The asset key has ${key.length} characters; it may have ${MOST_CHARS}.`);
  const length = properties?.description?.length ?? 0;
  if (length > MOST_DESCRIPTION_CHARS) {
    throw new TypeError(`The description of ${key} has ${length} characters; it may have ${MOST_DESCRIPTION_CHARS}.`);
  }
  return { key, properties };
}

/** Assets as they were named, each once. Throws TypeError as {@link asset} does. */
export function assetsOf(given: readonly AssetOrKey[]): Asset[] {
  const all = given.map((one) => (typeof one === "string" ? asset(one) : asset(one.key, one.properties)));
  return [...new Map(all.map((one) => [one.key, one])).values()];
}

/**
 * Adds facts to the event that tells of an asset's materialization: rows, bytes, a version. Later facts of the same name
 * replace earlier ones. Throws outside of a task, and TypeError for an asset that the task does not make.
 */
export function addAssetMetadata(of: AssetOrKey, metadata: Readonly<Record<string, unknown>>): void {
  const assets = currentScope()?.assets;
  if (!assets) {
    throw new Error("addAssetMetadata() was called outside of a materializing task. Call it in the function of one.");
  }
  assets.addMetadata(typeof of === "string" ? of : of.key, metadata);
}
