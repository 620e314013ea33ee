/**
 * A small server that speaks as S3 does, for tests: objects in memory, every signature checked by code of its own (not that
 * of the client), the bytes held against the signed hash, and faults on demand.
 */
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const KNOWN = { accessKeyId: "AKIDTEST", secretAccessKey: "a/secret+key", region: "auto" } as const;

/** What goes wrong with a request: a status, no answer at all, or the end of the connection. */
export type Fault = { readonly status: number; readonly code?: string } | "silence" | "cut";

export interface S3Server extends AsyncDisposable {
  readonly origin: string;
  /** By `bucket/key`. */
  readonly objects: Map<string, Uint8Array>;
  /** `GET /bucket/key`, in their order. */
  readonly requests: string[];
  /** What goes wrong with the next requests, one each. */
  failNext(...faults: readonly Fault[]): void;
  /** Keys on a page of a list. */
  pageSize: number;
}

/** Starts one that has these buckets. */
export async function s3Server(...buckets: readonly string[]): Promise<S3Server> {
  const faults: Fault[] = [];
  const held = {
    objects: new Map<string, Uint8Array>(),
    requests: [] as string[],
    failNext: (...next: readonly Fault[]): void => void faults.splice(faults.length, 0, ...next),
    pageSize: 1000,
  };
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      held.requests.push(`${request.method} ${request.url}`);
      const fault = faults.shift();
      if (fault === "silence") return;
      if (fault === "cut") return void response.socket?.destroy();
      if (fault !== undefined) return void refuse(response, fault.status, fault.code ?? "InternalError");
      answer(request, response, body, held, buckets);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(held, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  held: Pick<S3Server, "objects" | "pageSize">,
  buckets: readonly string[],
): void {
  const url = new URL(request.url ?? "", `http://${request.headers.host}`);
  const trouble = signatureTrouble(request, url, body);
  if (trouble !== null) {
    refuse(response, 403, trouble);
    return;
  }
  const [bucket = "", ...rest] = url.pathname.slice(1).split("/");
  if (!buckets.includes(bucket)) {
    refuse(response, 404, "NoSuchBucket");
    return;
  }
  const key = rest.map(decodeURIComponent).join("/");
  if (key === "") {
    list(url, response, bucket, held);
    return;
  }
  const name = `${bucket}/${key}`;
  const found = held.objects.get(name);
  if (request.method === "PUT") {
    held.objects.set(name, new Uint8Array(body));
    response.end();
  } else if (request.method === "DELETE") {
    held.objects.delete(name);
    response.writeHead(204).end();
  } else if (found === undefined) refuse(response, 404, "NoSuchKey");
  else response.end(found);
}

function list(url: URL, response: ServerResponse, bucket: string, held: Pick<S3Server, "objects" | "pageSize">): void {
  const prefix = `${bucket}/${url.searchParams.get("prefix") ?? ""}`;
  const keys = [...held.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  const from = Number(url.searchParams.get("continuation-token")?.replace("page/", "") ?? 0);
  const page = keys.slice(from, from + held.pageSize);
  const hasMore = from + page.length < keys.length;
  const next = hasMore ? `<NextContinuationToken>page/${from + page.length}</NextContinuationToken>` : "";
  const xml = page.map((name) => `<Contents><Key>${escaped(name.slice(bucket.length + 1))}</Key></Contents>`).join("");
  response.end(`<ListBucketResult>${xml}${next}</ListBucketResult>`);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}

/** What S3 would answer to a signature that it does not accept; null for one that it does. */
function signatureTrouble(request: IncomingMessage, url: URL, body: Buffer): string | null {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? "",
    );
  if (given === null) return "AccessDenied";
  const [, accessKeyId, scope = "", signed = "", signature] = given;
  if (accessKeyId !== KNOWN.accessKeyId) return "InvalidAccessKeyId";
  const stamp = String(request.headers["x-amz-date"]);
  const hash = String(request.headers["x-amz-content-sha256"]);
  if (hash !== createHash("sha256").update(body).digest("hex")) return "XAmzContentSHA256Mismatch";
  const names = signed.split(";");
  const query = [...url.searchParams].map(([name, value]) => `${strict(name)}=${strict(value)}`).sort();
  const canonical = [
    request.method,
    url.pathname.split("/").map(decodeURIComponent).map(strict).join("/"),
    query.join("&"),
    ...names.map((name) => `${name}:${request.headers[name]}`),
    "",
    signed,
    hash,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [stamp.slice(0, 8), KNOWN.region, "s3", "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${KNOWN.secretAccessKey}`,
  );
  const right = createHmac("sha256", key).update(toSign).digest("hex");
  const isScoped = scope === `${stamp.slice(0, 8)}/${KNOWN.region}/s3/aws4_request`;
  return right === signature && isScoped ? null : "SignatureDoesNotMatch";
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function strict(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[\w.~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
