/** Headers of a POST to a service of AWS, its signature among them. */
import { AwsV4Signer } from "aws4fetch";

export interface AwsSigner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials only. */
  readonly sessionToken?: string | null | undefined;
  readonly region: string;
}

export interface SignedPost {
  /** As in the service's address: "ec2", "logs". */
  readonly service: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Every header given is signed with the body. */
export async function signedHeaders(
  url: URL,
  signer: AwsSigner,
  { service, body, headers }: SignedPost,
): Promise<Headers> {
  const { accessKeyId, secretAccessKey, sessionToken, region } = signer;
  const signed = await new AwsV4Signer({
    method: "POST",
    url: url.href,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    region,
    service,
    body,
    headers,
    allHeaders: true,
  }).sign();
  return signed.headers;
}
