/** Results in a bucket of S3, R2 or MinIO, so that workers on several machines share them. */
import { requiredClient } from "../deploy/deployment.ts";
import { type Duration, parseDuration } from "../duration.ts";
import type { S3Bucket } from "../storage/s3-bucket.ts";
import type { ResultStorage } from "./storage.ts";

/** Where the bucket is, and how it is reached. */
export interface S3StorageOptions {
  /** Its name. It has to exist. */
  readonly bucket: string;
  /** Put before every key, as a folder. Default: none. */
  readonly prefix?: string;
  /** For what is not Amazon's: `https://ACCOUNT.r2.cloudflarestorage.com`. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`. */
  readonly endpoint?: string;
  /** Default: `AWS_REGION`; "auto" with an endpoint, otherwise "us-east-1". */
  readonly region?: string;
  /** Default: `AWS_ACCESS_KEY_ID`. */
  readonly accessKeyId?: string;
  /** Default: `AWS_SECRET_ACCESS_KEY`. */
  readonly secretAccessKey?: string;
  /** Of temporary credentials. Default: `AWS_SESSION_TOKEN`, unless `accessKeyId` is given. */
  readonly sessionToken?: string;
  /** How long one attempt may take; there are up to four. Default "30s". */
  readonly timeout?: Duration;
}

/**
 * Keeps each result as an object of a bucket. What is written is never deleted by age: give the bucket a rule for that.
 * Nothing is sent before the first result; from then on its members throw `S3Error` for what the bucket refuses, after
 * attempts that may help. Throws TypeError at once when credentials are missing.
 */
export function s3Storage(options: S3StorageOptions): ResultStorage {
  const { bucket, accessKeyId = variable("AWS_ACCESS_KEY_ID"), timeout = "30s" } = options;
  const secretAccessKey = options.secretAccessKey ?? variable("AWS_SECRET_ACCESS_KEY");
  if (!bucket) throw new TypeError('s3Storage option "bucket" is empty. Name the bucket.');
  if (!accessKeyId || !secretAccessKey) {
    throw new TypeError(
      "s3Storage() has no credentials. Give accessKeyId and secretAccessKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    );
  }
  const endpoint = options.endpoint ?? variable("AWS_ENDPOINT_URL_S3") ?? variable("AWS_ENDPOINT_URL") ?? null;
  if (endpoint !== null && !URL.canParse(endpoint)) {
    throw new TypeError(`s3Storage option "endpoint" is ${JSON.stringify(endpoint)}, which is not an address.`);
  }
  const ownToken = options.accessKeyId === undefined ? variable("AWS_SESSION_TOKEN") : undefined;
  const address = {
    bucket,
    endpoint,
    region: options.region ?? variable("AWS_REGION") ?? (endpoint === null ? "us-east-1" : "auto"),
    credentials: { accessKeyId, secretAccessKey, sessionToken: options.sessionToken ?? ownToken ?? null },
    timeoutMs: parseDuration(timeout, 's3Storage option "timeout"'),
  };
  let opened: Promise<S3Bucket> | null = null;
  const open = (): Promise<S3Bucket> => {
    opened ??= import("../storage/s3-bucket.ts").then((loaded) => new loaded.S3Bucket(address));
    return opened;
  };
  const stored: ResultStorage = {
    read: async (key) => (await open()).read(key),
    write: async (key, bytes) => (await open()).write(key, bytes),
    delete: async (key) => (await open()).delete(key),
  };
  return inBucket(stored, options.prefix ?? "");
}

/**
 * Keeps results in the bucket that a block of the type `s3-bucket` names, with the credentials that it holds. The block
 * is read when the first result is; a failure to read it is not remembered.
 */
export function s3BlockStorage(name: string): ResultStorage {
  let opened: Promise<ResultStorage> | null = null;
  const open = (): Promise<ResultStorage> => {
    opened ??= read().catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
  const read = async (): Promise<ResultStorage> => {
    const client = requiredClient("s3BlockStorage()");
    const { loadBlock } = await import("../../client/blocks.ts");
    const { data } = await loadBlock(client, { type: "s3-bucket", name });
    return s3Storage(s3OptionsOf(data));
  };
  return {
    read: async (key) => (await open()).read(key),
    write: async (key, bytes) => (await open()).write(key, bytes),
    delete: async (key) => (await open()).delete(key),
  };
}

/** What the fields of an `s3-bucket` block say, with its `aws-credentials` or `minio-credentials` within. */
export function s3OptionsOf(fields: Readonly<Record<string, unknown>>): S3StorageOptions {
  const credentials = fieldsOf(fields["credentials"]);
  const parameters = fieldsOf(credentials["aws_client_parameters"]);
  const given = {
    prefix: text(fields["bucket_folder"]),
    endpoint: text(parameters["endpoint_url"]),
    region: text(credentials["region_name"]),
    accessKeyId: text(credentials["aws_access_key_id"]) ?? text(credentials["minio_root_user"]),
    secretAccessKey: text(credentials["aws_secret_access_key"]) ?? text(credentials["minio_root_password"]),
    sessionToken: text(credentials["aws_session_token"]),
  };
  const told = Object.entries(given).filter(([, value]) => value !== undefined);
  return { bucket: text(fields["bucket_name"]) ?? "", ...(Object.fromEntries(told) as Partial<S3StorageOptions>) };
}

/** The part of the binding of an R2 bucket that is used. */
export interface R2BucketLike {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  put(key: string, value: ArrayBuffer): Promise<unknown>;
  delete(key: string): Promise<void>;
}

/** Keeps results in an R2 bucket that is bound to a Worker: `r2Storage(env.RESULTS)`. No credentials, no network. */
export function r2Storage(bucket: R2BucketLike, { prefix = "" }: { readonly prefix?: string } = {}): ResultStorage {
  return inBucket(
    {
      async read(key) {
        const found = await bucket.get(key);
        return found === null ? null : new Uint8Array(await found.arrayBuffer());
      },
      write: async (key, bytes) => void (await bucket.put(key, new Uint8Array(bytes).buffer)),
      delete: (key) => bucket.delete(key),
    },
    prefix,
  );
}

function inBucket(bucket: ResultStorage, prefix: string): ResultStorage {
  const folder = prefix.replace(/^\/+|\/+$/g, "");
  const keyOf = (key: string): string => (folder === "" ? key : `${folder}/${key}`);
  return {
    read: (key) => bucket.read(keyOf(key)),
    write: (key, bytes) => bucket.write(keyOf(key), bytes),
    delete: (key) => bucket.delete(keyOf(key)),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function variable(name: string): string | undefined {
  return globalThis.process?.env?.[name] || undefined;
}
