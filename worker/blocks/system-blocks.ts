/**
 * The block types that the system expects to be there. Their fields are Prefect's, to the letter: its clients look for
 * them by a checksum of just these words.
 */
import { PREFECT_VERSION } from "#protocol/server";
import { countSystemSchemas } from "../db/queries/block-schemas.ts";
import { countSystemBlockTypes, putSystemBlockType } from "../db/queries/block-types.ts";
import { registerSchema } from "./register-schema.ts";

interface SystemBlock {
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly capabilities: readonly string[];
  readonly fields: Record<string, unknown>;
}

export const SYSTEM_BLOCKS: readonly SystemBlock[] = [
  {
    name: "Webhook",
    slug: "webhook",
    description: "Calls an HTTP address.",
    capabilities: [],
    fields: {
      block_schema_references: {},
      block_type_slug: "webhook",
      description: "Block that enables calling webhooks.",
      properties: {
        method: {
          default: "POST",
          description: "The webhook request method. Defaults to `POST`.",
          enum: ["GET", "POST", "PUT", "PATCH", "DELETE"],
          title: "Method",
          type: "string",
          position: 0,
        },
        url: {
          description: "The webhook URL.",
          examples: ["https://hooks.slack.com/XXX"],
          format: "password",
          title: "Webhook URL",
          type: "string",
          writeOnly: true,
          position: 1,
        },
        headers: {
          description: "A dictionary of headers to send with the webhook request.",
          title: "Webhook Headers",
          type: "object",
          position: 2,
        },
        allow_private_urls: {
          default: true,
          description: "Whether to allow notifications to private URLs. Defaults to True.",
          title: "Allow Private Urls",
          type: "boolean",
          position: 3,
        },
        verify: {
          default: true,
          description: "Whether or not to enforce a secure connection to the webhook.",
          title: "Verify",
          type: "boolean",
          position: 4,
        },
      },
      required: ["url"],
      secret_fields: ["url", "headers.*"],
      title: "Webhook",
      type: "object",
    },
  },
  {
    name: "Secret",
    slug: "secret",
    description: "Keeps one value that is not shown to anybody who looks at the block.",
    capabilities: [],
    fields: {
      block_schema_references: {},
      block_type_slug: "secret",
      description:
        "A block that represents a secret value. The value stored in this block will be obfuscated when this block is viewed or edited in the UI.",
      properties: {
        value: {
          anyOf: [
            { format: "password", type: "string", writeOnly: true },
            { title: "string", type: "string" },
            { $ref: "#/definitions/JsonValue", title: "JSON" },
          ],
          description: "A value that should be kept secret.",
          examples: ["sk-1234567890", { password: "s3cr3t", username: "johndoe" }],
          format: "password",
          title: "Value",
          writeOnly: true,
          position: 0,
        },
      },
      required: ["value"],
      secret_fields: ["value", "value"],
      title: "Secret",
      type: "object",
      definitions: { JsonValue: {} },
    },
  },
  {
    name: "Local File System",
    slug: "local-file-system",
    description: "Keeps files in a folder of the machine that runs the flow.",
    capabilities: ["get-directory", "put-directory", "read-path", "write-path"],
    fields: {
      block_schema_references: {},
      block_type_slug: "local-file-system",
      description: "Store data as a file on a local file system.",
      properties: {
        basepath: {
          anyOf: [{ type: "string" }, { type: "null" }],
          default: null,
          description: "Default local path for this block to write to.",
          title: "Basepath",
          position: 0,
        },
      },
      secret_fields: [],
      title: "LocalFileSystem",
      type: "object",
    },
  },
];

const SLUGS = SYSTEM_BLOCKS.map((block) => block.slug);

let areThere = false;

/** Looks until the types are there, and makes those that are not. They cannot be deleted, so never again after that. */
export async function ensureSystemBlocks(env: Env): Promise<void> {
  if (areThere) return;
  const types = await countSystemBlockTypes(env, SLUGS);
  const isComplete = types === SLUGS.length && (await countSystemSchemas(env, SLUGS, PREFECT_VERSION)) >= SLUGS.length;
  if (!isComplete) await installSystemBlocks(env);
  areThere = true;
}

/** Makes the types and schemas that are not there. */
export async function installSystemBlocks(env: Env): Promise<void> {
  for (const { name, slug, description, capabilities, fields } of SYSTEM_BLOCKS) {
    const blockType = await putSystemBlockType(env, { name, slug, description });
    await registerSchema(env, { fields, blockType, capabilities, version: PREFECT_VERSION });
  }
}
