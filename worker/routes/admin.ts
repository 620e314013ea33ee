import * as api from "#protocol/admin";
import { SluiceError } from "#protocol/errors";
import { LIMITS } from "#protocol/limits";
import { isOpen } from "../../durable-objects/caller.ts";
import { inDays, retentionTerms } from "../../durable-objects/retention-terms.ts";
import { version } from "../../package.json";
import { documentById } from "../db/queries/block-documents.ts";
import { schemasById } from "../db/queries/block-schemas.ts";
import * as queries from "../db/queries/server-settings.ts";
import { SCHEMA } from "../ready.ts";
import { type App, serve } from "../serve.ts";

export function adminRoutes(app: App): void {
  serve(app, api.readSettings)(({ env }) => settingsOf(env));
  serve(
    app,
    api.readDefaultStorage,
  )(async ({ env }) => ({ default_result_storage_block_id: await queries.defaultStorage(env) }));
  serve(
    app,
    api.writeDefaultStorage,
  )(async ({ env, body }) => {
    await requireStorage(env, body.default_result_storage_block_id);
    await queries.setDefaultStorage(env, body.default_result_storage_block_id);
    return body;
  });
  serve(
    app,
    api.clearDefaultStorage,
  )(async ({ env }) => {
    await queries.setDefaultStorage(env, null);
    return undefined;
  });
}

/** Fails unless the block is there and can be written to. */
async function requireStorage(env: Env, id: string): Promise<void> {
  const document = await documentById(env, id);
  if (!document) {
    throw new SluiceError("not_found", `Block document ${id} not found.`, { fix: "Save the storage block first." });
  }
  const [schema] = await schemasById(env, [document.blockSchemaId]);
  if (schema?.capabilities.includes("write-path")) return;
  throw new SluiceError("validation", `Block document ${id} cannot be used for result storage.`, {
    fix: 'Choose a block whose type has the capability "write-path".',
  });
}

/** Chosen one by one: a secret that is added to the environment is not in here by itself. */
function settingsOf(env: Env): api.ServerSettings {
  const terms = retentionTerms(env);
  return {
    server: {
      version,
      mode: env.SLUICE_MODE,
      schema: SCHEMA,
      allowed_hosts: env.SLUICE_ALLOWED_HOSTS.split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    },
    api: {
      requires_key: !isOpen(env),
      page_rows: LIMITS.pageRows,
      body_bytes: LIMITS.bodyBytes,
      parameter_bytes: LIMITS.parameterBytes,
      log_bytes_per_run: LIMITS.logBytesPerRun,
    },
    runs: {
      shards: Number(env.SLUICE_SHARDS) || 1,
      heartbeat_seconds: (Number(env.SLUICE_HEARTBEAT_MS) || 10_000) / 1_000,
    },
    retention: {
      run_days: inDays(terms.runMs),
      event_days: inDays(terms.eventMs),
      worker_days: inDays(terms.workerMs),
      dead_letter_days: inDays(terms.deadLetterMs),
      key_days: inDays(terms.keyMs),
    },
  };
}
