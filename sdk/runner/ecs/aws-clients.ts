/** The clients of accounts: with the credentials of a block, or with those that the worker finds around itself. */
import type { ECSClient, ECSClientConfig } from "@aws-sdk/client-ecs";
import { CannotStartError } from "../cannot-start.ts";
import { type Json, object, text } from "../template/fields.ts";

type Package = typeof import("@aws-sdk/client-ecs");

export interface AwsAccount {
  readonly client: ECSClient;
  readonly region: string;
}

/** Network trouble and throttling are waited out by the client itself. */
const ATTEMPTS = 5;

export class AwsAccounts {
  readonly #package: Package;
  readonly #known = new Map<string, ECSClient>();

  constructor(loaded: Package) {
    this.#package = loaded;
  }

  /** `block` is the data of a block aws-credentials. Throws {@link CannotStartError} where no region is known. */
  async accountOf(block: Json | null): Promise<AwsAccount> {
    const key = JSON.stringify(block);
    const client = this.#known.get(key) ?? new this.#package.ECSClient(configurationOf(block ?? {}));
    this.#known.set(key, client);
    try {
      return { client, region: await client.config.region() };
    } catch {
      this.#known.delete(key);
      throw new CannotStartError(
        "The worker knows no AWS region. Set AWS_REGION for it, or region_name in the block of aws_credentials.",
      );
    }
  }
}

function configurationOf(block: Json): ECSClientConfig {
  const accessKeyId = text(block, "aws_access_key_id");
  const secretAccessKey = text(block, "aws_secret_access_key");
  const sessionToken = text(block, "aws_session_token");
  const region = text(block, "region_name");
  const profile = text(block, "profile_name");
  const endpoint = text(object(block["aws_client_parameters"]) ?? {}, "endpoint_url");
  return {
    maxAttempts: ATTEMPTS,
    ...(region === null ? {} : { region }),
    ...(profile === null ? {} : { profile }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(accessKeyId === null || secretAccessKey === null
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) } }),
  };
}
