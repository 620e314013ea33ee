/** The pull steps `pull_from_s3` and `pull_from_r2`: all objects below a folder of a bucket, into the run's folder. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CannotStartError } from "../cannot-start.ts";
import { type AwsCredentials, awsEncoded, signedHeaders } from "./aws-signature.ts";
import { type PullContext, textInput } from "./pull-context.ts";

type Inputs = Readonly<Record<string, unknown>>;

const AT_ONCE = 8;

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
  const credentials = credentialsOf(inputs, context.env);
  const root = addressOf(inputs, bucket, credentials.region);
  const keys = await list(root, prefix, credentials, context.signal);
  if (keys.length === 0) throw new CannotStartError(`Bucket "${bucket}" has no objects below "${prefix}".`);
  const queue = keys.filter((key) => !key.endsWith("/"));
  const load = async (): Promise<void> => {
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      await download(root, key, targetOf(context.directory, key.slice(prefix.length)), credentials, context.signal);
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

function credentialsOf(inputs: Inputs, env: NodeJS.ProcessEnv): AwsCredentials {
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
  const region = textInput(data, "region_name") ?? env["AWS_REGION"] ?? (endpointOf(inputs) ? "auto" : "us-east-1");
  return { accessKeyId, secretAccessKey, sessionToken, region };
}

function endpointOf(inputs: Inputs): string | null {
  const parameters = inputs["client_parameters"];
  const nested = typeof parameters === "object" && parameters !== null ? (parameters as Inputs) : {};
  return textInput(inputs, "endpoint_url") ?? textInput(nested, "endpoint_url");
}

function addressOf(inputs: Inputs, bucket: string, region: string): URL {
  const endpoint = endpointOf(inputs) ?? `https://s3.${region}.amazonaws.com`;
  if (!URL.canParse(endpoint))
    throw new CannotStartError(`endpoint_url ${JSON.stringify(endpoint)} is not an address.`);
  return new URL(`/${awsEncoded(bucket)}/`, endpoint);
}

async function list(root: URL, prefix: string, credentials: AwsCredentials, signal: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  let token: string | null = null;
  do {
    const url = new URL(root.href.replace(/\/$/, ""));
    url.search = [
      ...(token === null ? [] : [`continuation-token=${awsEncoded(token)}`]),
      "list-type=2",
      `prefix=${awsEncoded(prefix)}`,
    ].join("&");
    const text = await (await get(url, credentials, signal)).text();
    for (const [, key = ""] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(unescaped(key));
    const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1];
    token = next === undefined ? null : unescaped(next);
  } while (token !== null);
  return keys;
}

async function download(root: URL, key: string, to: string, credentials: AwsCredentials, signal: AbortSignal) {
  const url = new URL(`${root.href}${key.split("/").map(awsEncoded).join("/")}`);
  const { body } = await get(url, credentials, signal);
  await mkdir(dirname(to), { recursive: true });
  if (body !== null) await pipeline(Readable.fromWeb(body), createWriteStream(to));
}

async function get(url: URL, credentials: AwsCredentials, signal: AbortSignal) {
  const answer = await fetch(url, { headers: signedHeaders(url, credentials), signal, redirect: "error" });
  if (answer.ok) return answer;
  const code = /<Code>([^<]*)<\/Code>/.exec(await answer.text())?.[1];
  throw new Error(`${url.origin}${url.pathname} answered ${answer.status}${code === undefined ? "" : ` (${code})`}.`);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name ?? ""] ?? whole;
  });
}
