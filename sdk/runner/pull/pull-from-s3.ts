/** The pull steps `pull_from_s3` and `pull_from_r2`: all objects below a folder of a bucket, into the run's folder. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { S3Bucket } from "../../flow/storage/s3-bucket.ts";
import { CannotStartError } from "../cannot-start.ts";
import { type PullContext, textInput } from "./pull-context.ts";

type Inputs = Readonly<Record<string, unknown>>;

const AT_ONCE = 8;
const ANSWERS_WITHIN_MS = 60_000;

/**
 * Inputs: `bucket`, and if need be `folder`, `credentials` (a block of AWS credentials; otherwise the worker's
 * `AWS_ACCESS_KEY_ID` and so on), `client_parameters.endpoint_url` or `endpoint_url` for what is not Amazon's, such as
 * `https://ACCOUNT.r2.cloudflarestorage.com`. Answers `directory`, `bucket` and `folder`.
 */
export async function pullFromS3(inputs: Inputs, context: PullContext) {
  const bucket = textInput(inputs, "bucket");
  if (bucket === null) throw new CannotStartError('The pull step pull_from_s3 needs "bucket".');
  const folder = (textInput(inputs, "folder") ?? "").replace(/^\/+|\/+$/g, "");
  const prefix = folder === "" ? "" : `${folder}/`;
  const source = bucketOf(inputs, bucket, context.env);
  const keys = await source.list(prefix, context.signal);
  if (keys.length === 0) throw new CannotStartError(`Bucket "${bucket}" has no objects below "${prefix}".`);
  const queue = keys.filter((key) => !key.endsWith("/"));
  const load = async (): Promise<void> => {
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      await download(source, key, targetOf(context.directory, key.slice(prefix.length)), context.signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, load));
  return { directory: context.directory, bucket, folder };
}

/** Keys are other people's text: one that leads out of the folder is refused. */
function targetOf(directory: string, name: string): string {
  const target = resolve(directory, name);
  const inside = relative(directory, target);
  if (inside === "" || inside.startsWith("..") || resolve(directory, inside) !== target) {
    throw new CannotStartError(`The object "${name}" leads out of the folder of the run.`);
  }
  return target;
}

function bucketOf(inputs: Inputs, bucket: string, env: NodeJS.ProcessEnv): S3Bucket {
  const block = inputs["credentials"];
  const data = typeof block === "object" && block !== null ? (block as Inputs) : {};
  const given = textInput(data, "aws_access_key_id");
  const isBlock = given !== null;
  const accessKeyId = given ?? env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = isBlock ? textInput(data, "aws_secret_access_key") : env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey) {
    throw new CannotStartError(
      "The pull step pull_from_s3 has no credentials. Give a block of AWS credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the worker.",
    );
  }
  const sessionToken = (isBlock ? textInput(data, "aws_session_token") : env["AWS_SESSION_TOKEN"]) || null;
  const endpoint = endpointOf(inputs);
  if (endpoint !== null && !URL.canParse(endpoint))
    throw new CannotStartError(`endpoint_url ${JSON.stringify(endpoint)} is not an address.`);
  const region = textInput(data, "region_name") ?? env["AWS_REGION"] ?? (endpoint === null ? "us-east-1" : "auto");
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return new S3Bucket({ bucket, endpoint, region, credentials, timeoutMs: ANSWERS_WITHIN_MS });
}

function endpointOf(inputs: Inputs): string | null {
  const parameters = inputs["client_parameters"];
  const nested = typeof parameters === "object" && parameters !== null ? (parameters as Inputs) : {};
  return textInput(inputs, "endpoint_url") ?? textInput(nested, "endpoint_url");
}

async function download(source: S3Bucket, key: string, to: string, signal: AbortSignal): Promise<void> {
  const answer = await source.open(key, signal);
  // It was there when the bucket was listed.
  if (answer === null) throw new Error(`The object "${key}" was deleted while the bucket was read.`);
  await mkdir(dirname(to), { recursive: true });
  if (answer.body !== null) await pipeline(Readable.fromWeb(answer.body), createWriteStream(to));
}
