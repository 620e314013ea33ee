/** Block types for places where files are. */
import { z } from "zod";
import { localFiles } from "../flow/results/local-folder.ts";
import { s3OptionsOf, s3Storage } from "../flow/results/s3-storage.ts";
import type { ResultStorage } from "../flow/results/storage.ts";
import { awsFields, githubFields, minioFields } from "./credentials.ts";
import { defineBlock } from "./define-block.ts";

/**
 * A bucket of S3, R2 or MinIO, by its credentials or else those of the environment. Opening it gives `read`, `write` and
 * `delete` by path below `bucket_folder`, which is also a storage for results.
 */
export const s3Bucket = defineBlock({
  slug: "s3-bucket",
  name: "S3 Bucket",
  schema: z.object({
    bucket_name: z.string().min(1),
    credentials: z.union([minioFields, awsFields]).nullish(),
    bucket_folder: z.string().default(""),
  }),
  secrets: ["credentials.aws_secret_access_key", "credentials.aws_session_token", "credentials.minio_root_password"],
  open: (fields): ResultStorage => s3Storage(s3OptionsOf(fields)),
});

/** A folder of the machine that opens it: `read`, `write` and `delete` by path, none of which leads out of it. */
export const localFileSystem = defineBlock({
  slug: "local-file-system",
  name: "Local File System",
  schema: z.object({ basepath: z.string().nullish() }),
  open: ({ basepath }): ResultStorage => localFiles(basepath || "."),
});

/** A repository of GitHub. Opening it gives what a `git clone` needs; the token is not part of the address. */
export const githubRepository = defineBlock({
  slug: "github-repository",
  name: "GitHub Repository",
  schema: z.object({
    repository_url: z.string().min(1),
    reference: z.string().nullish(),
    credentials: githubFields.nullish(),
  }),
  secrets: ["credentials.token"],
  open: ({ repository_url, reference, credentials }) => ({
    url: repository_url,
    /** A branch or a tag; null for the default branch. */
    reference: reference ?? null,
    token: credentials?.token ?? null,
  }),
});
