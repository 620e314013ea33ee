/** Signature version 4 of requests to S3 and what speaks like it, R2 for one, and to other services of AWS. */
import { createHash, createHmac } from "node:crypto";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly region: string;
}

/** What is not said is that of a GET from S3. */
export interface SignedRequest {
  readonly method?: "GET" | "POST";
  readonly service?: string;
  readonly body?: string;
  /** By their names in small letters; they are signed too. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Headers for a request to this address, the signature among them. */
export function signedHeaders(
  url: URL,
  credentials: AwsCredentials,
  now = new Date(),
  { method = "GET", service = "s3", body = "", headers: own = {} }: SignedRequest = {},
): Record<string, string> {
  const bodySha256 = createHash("sha256").update(body).digest("hex");
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = stamp.slice(0, 8);
  const scope = `${day}/${credentials.region}/${service}/aws4_request`;
  const headers: Record<string, string> = {
    ...own,
    host: url.host,
    "x-amz-content-sha256": bodySha256,
    "x-amz-date": stamp,
    ...(credentials.sessionToken === null ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    bodySha256,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [day, credentials.region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names.join(";")},Signature=${signature}`,
  };
}

/** A path or query value as S3 wants it: all but unreserved characters in percent form. */
export function awsEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${awsEncoded(name)}=${awsEncoded(value)}`)
    .sort()
    .join("&");
}
