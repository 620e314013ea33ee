/** Block types that hold credentials. Opening one gives its fields. */
import { z } from "zod";
import { defineBlock } from "./define-block.ts";

const text = z.string().nullish();

/** What other programs of Prefect put beside the credentials; only the endpoint is used here. */
const clientParameters = z.looseObject({ endpoint_url: text }).nullish();

export const awsFields = z.object({
  aws_access_key_id: text,
  aws_secret_access_key: text,
  aws_session_token: text,
  profile_name: text,
  region_name: text,
  aws_client_parameters: clientParameters,
});

export const minioFields = z.object({
  minio_root_user: z.string(),
  minio_root_password: z.string(),
  region_name: text,
  aws_client_parameters: clientParameters,
});

export const githubFields = z.object({ token: text });

/** Credentials for AWS and what speaks its protocols. */
export const awsCredentials = defineBlock({
  slug: "aws-credentials",
  name: "AWS Credentials",
  schema: awsFields,
  secrets: ["aws_secret_access_key", "aws_session_token"],
});

/** Credentials for MinIO. */
export const minioCredentials = defineBlock({
  slug: "minio-credentials",
  name: "MinIO Credentials",
  schema: minioFields,
  secrets: ["minio_root_password"],
});

/** A token for GitHub. */
export const githubCredentials = defineBlock({
  slug: "github-credentials",
  name: "GitHub Credentials",
  schema: githubFields,
  secrets: ["token"],
});

/** A token for GitLab. */
export const gitlabCredentials = defineBlock({
  slug: "gitlab-credentials",
  name: "GitLab Credentials",
  schema: z.object({ token: text, url: text }),
  secrets: ["token"],
});

/** Credentials for Bitbucket: a token, or a name with a password. */
export const bitbucketCredentials = defineBlock({
  slug: "bitbucket-credentials",
  name: "BitBucket Credentials",
  schema: z.object({
    token: text,
    username: text,
    password: text,
    url: z.string().default("https://api.bitbucket.org/"),
  }),
  secrets: ["token", "password"],
});

/** A token of a Slack application. */
export const slackCredentials = defineBlock({
  slug: "slack-credentials",
  name: "Slack Credentials",
  schema: z.object({ token: z.string() }),
  secrets: ["token"],
});

/** Credentials for a registry of container images. */
export const dockerRegistryCredentials = defineBlock({
  slug: "docker-registry-credentials",
  name: "Docker Registry Credentials",
  schema: z.object({
    username: z.string(),
    password: z.string(),
    registry_url: z.string(),
    reauth: z.boolean().default(true),
  }),
  secrets: ["password"],
});

/** Credentials for Snowflake, as its drivers take them. */
export const snowflakeCredentials = defineBlock({
  slug: "snowflake-credentials",
  name: "Snowflake Credentials",
  schema: z.object({
    account: z.string(),
    user: z.string(),
    password: text,
    private_key: text,
    private_key_path: text,
    private_key_passphrase: text,
    authenticator: z
      .enum(["snowflake", "snowflake_jwt", "externalbrowser", "okta_endpoint", "oauth", "username_password_mfa"])
      .default("snowflake"),
    token: text,
    endpoint: text,
    role: text,
    autocommit: z.boolean().nullish(),
  }),
  secrets: ["password", "private_key", "private_key_passphrase", "token"],
});
