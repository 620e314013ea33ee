/** Known answers: the examples of Amazon's documentation of signature version 4 for S3. */
import { describe, it } from "vitest";
import { signedHeaders } from "../../../sdk/runner/pull/aws-signature.ts";

const CREDENTIALS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
  region: "us-east-1",
};
const NOW = new Date("2013-05-24T00:00:00Z");

describe("a request to S3", () => {
  it.for([
    ["?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
    ["?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
  ] as const)("for /%s has the documented signature", ([query, signature], { expect }) => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com/${query}`);
    expect(signedHeaders(url, CREDENTIALS, NOW)["authorization"]).toContain(`Signature=${signature}`);
  });
});
