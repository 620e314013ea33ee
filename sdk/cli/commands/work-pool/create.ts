/** `sluice work-pool create`: makes a pool that workers can take runs from, or one whose runs are pushed to a URL. */
import { type ApiClient, createClient } from "../../../client/api-client.ts";
import type { JsonObject } from "../../../protocol/flow-runs.ts";
import { HTTP_POOL_TYPE, secretBytes, writePushSecrets } from "../../../protocol/push.ts";
import { createWorkPool, type WorkPool } from "../../../protocol/work-pools.ts";
import { defaultTemplate } from "../../../runner/default-template.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type { Column } from "../../output.ts";
import { integer, parsed, required, text, withDefault } from "../../parameters.ts";
import { WORK_POOL_COLUMNS } from "./columns.ts";
import { readTemplate, templateOption } from "./job-template.ts";

/** What `sluice worker start --type` takes. */
const WORKER_TYPES = ["process", "docker", "kubernetes", "ecs"] as const;

export const workPoolCreate = defineCommand({
  noun: "work-pool",
  verb: "create",
  summary: "Create a work pool.",
  arguments: { name: required(text("Name of the pool.", { placeholder: "name" })) },
  options: {
    type: withDefault(
      text("Kind of worker that serves it, or http for none.", { placeholder: "type", short: "t" }),
      "process",
    ),
    url: text("Type http: where runs are pushed to, unless a deployment says otherwise.", { placeholder: "url" }),
    secret: parsed(
      "Type http: what pushes are signed with, 24 bytes or more in base64. Default: one is made and shown.",
      readSecret,
      { placeholder: "text", env: "SLUICE_PUSH_SECRET" },
    ),
    baseJobTemplate: templateOption(),
    concurrencyLimit: integer("Runs of the pool at the same time. Default: no limit.", { min: 0 }),
    description: text("What the pool is for."),
  },
  examples: [
    "sluice work-pool create local",
    "sluice work-pool create gpu --concurrency-limit 2",
    "sluice work-pool create gpu --type docker --base-job-template template.json",
    "sluice work-pool create edge --type http --url https://flows.example.workers.dev",
  ],
  async run({ arguments: { name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const isPushed = options.type === HTTP_POOL_TYPE;
    if (!isPushed && options.url !== undefined) {
      throw new CliError(`A work pool of the type ${options.type} has no URL: its workers come for its runs.`, {
        fix: "Leave --url out, or give --type http.",
      });
    }
    const own = options.baseJobTemplate === undefined ? null : await readTemplate(options.baseJobTemplate);
    const template = isPushed ? await pushedTemplate(client, own, options.url) : own;
    const pool = await client.call(createWorkPool, {
      body: {
        name,
        type: options.type,
        concurrency_limit: options.concurrencyLimit ?? null,
        description: options.description ?? null,
        ...(template === null ? {} : { base_job_template: template }),
      },
    });
    if (!isPushed) {
      output.item(pool, WORK_POOL_COLUMNS);
      output.note(`\n${startOf(pool)}`);
      return undefined;
    }
    const secrets = options.secret === undefined ? {} : { secrets: [options.secret] };
    const { secret } = await client.call(writePushSecrets, { params: { name }, body: secrets });
    const made: WorkPool & { readonly push_secret: string | null } = { ...pool, push_secret: secret };
    const secretColumn: Column<typeof made> = { title: "SECRET", value: (one) => one.push_secret ?? "as given" };
    output.item(made, [...WORK_POOL_COLUMNS, secretColumn]);
    output.note("\nIts runs are pushed: no worker is needed. The secret is not shown again; the target needs it as");
    output.note("SLUICE_PUSH_SECRET, and the address of this control plane as SLUICE_API_URL. See docs/http-pools.md.");
    return undefined;
  },
});

/** What to do next with a pool that workers serve. */
function startOf({ name, type }: WorkPool): string {
  const ofType = type === "process" ? "" : ` --type ${type}`;
  if (WORKER_TYPES.some((known) => known === type)) {
    return `Start a worker for it with: sluice worker start --pool ${name}${ofType}`;
  }
  const meant = nearest(type, [...WORKER_TYPES, HTTP_POOL_TYPE]);
  const hint = meant === null ? "" : ` Did you mean ${meant}?`;
  return `Workers of Sluice are of the types ${WORKER_TYPES.join(", ")}; one of Prefect may be of type ${type}.${hint}`;
}

function readSecret(given: string): string {
  if (secretBytes(given) === null) throw new Error("not 24 bytes or more in base64 (openssl rand -base64 24)");
  return given;
}

/** The own template, or else that of the type, with the URL as the default of its variable. */
async function pushedTemplate(client: ApiClient, own: JsonObject | null, url: string | undefined): Promise<JsonObject> {
  const template = own ?? (await defaultTemplate(client, HTTP_POOL_TYPE, { idempotent: true })) ?? {};
  if (url === undefined) return template;
  const variables = (template["variables"] ?? {}) as { readonly properties?: Record<string, JsonObject> };
  const properties = { ...variables.properties, url: { ...variables.properties?.["url"], default: url } };
  return { ...template, variables: { ...variables, properties } };
}
