/** What an administrator sees and sets of the server itself. `/admin/version` is with the other greetings in server.ts. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Uuid } from "./ids.ts";

/** The configuration that the server runs with. No secret is in it. */
export const ServerSettings = z.object({
  server: z.object({
    version: z.string(),
    /** `embedded` on somebody's machine, or `cloudflare`. */
    mode: z.string(),
    /** The name of the database's newest migration. */
    schema: z.string(),
    /** Host names that requests may carry. Empty: the server's own. */
    allowed_hosts: z.array(z.string()),
  }),
  api: z.object({
    /** Whether a caller needs a key. */
    requires_key: z.boolean(),
    /** Rows of a page of a list at most. */
    page_rows: z.int(),
    body_bytes: z.int(),
    /** Bytes of JSON in the parameters of one run at most. */
    parameter_bytes: z.int(),
    /** Beyond them only errors are kept. */
    log_bytes_per_run: z.int(),
  }),
  runs: z.object({
    /** Over how many objects of a week new runs are spread. */
    shards: z.int(),
    /** How often the process of a run shows that it is alive; after three that are missed the run counts as lost. */
    heartbeat_seconds: z.number(),
  }),
  /** In days; null means that nothing expires. */
  retention: z.object({
    run_days: z.number().nullable(),
    event_days: z.number().nullable(),
    worker_days: z.number().nullable(),
    dead_letter_days: z.number().nullable(),
    key_days: z.number().nullable(),
  }),
});
export type ServerSettings = z.infer<typeof ServerSettings>;

/** Where results go by default: the id of a block document, or null where none is set. */
export const DefaultResultStorage = z.object({ default_result_storage_block_id: Uuid.nullable() });
export type DefaultResultStorage = z.infer<typeof DefaultResultStorage>;

/** What the server goes by. It comes from the environment that it was started with; no request changes it. */
export const readSettings = endpoint({
  id: "read_settings",
  method: "GET",
  path: "/admin/settings",
  tag: "Admin",
  role: "viewer",
  summary: "The server's configuration, without secrets.",
  returns: ServerSettings,
});
/** Where results go that name no storage of their own. Where none is set the id is null, which is no error. */
export const readDefaultStorage = endpoint({
  id: "read_server_default_result_storage",
  method: "GET",
  path: "/admin/storage",
  tag: "Admin",
  role: "viewer",
  summary: "The block in which results are stored by default.",
  returns: DefaultResultStorage,
});
/**
 * Chooses a block for results. 404 when there is no such block document; 422 when its schema does not have the
 * capability `write-path`.
 */
export const writeDefaultStorage = endpoint({
  id: "update_server_default_result_storage",
  method: "PUT",
  path: "/admin/storage",
  tag: "Admin",
  summary: "Set the block in which results are stored by default.",
  body: z.object({ default_result_storage_block_id: Uuid }),
  returns: DefaultResultStorage,
});
/** The block document itself stays. Where none is set nothing happens. */
export const clearDefaultStorage = endpoint({
  id: "clear_server_default_result_storage",
  method: "DELETE",
  path: "/admin/storage",
  tag: "Admin",
  status: 204,
  summary: "Forget the block in which results are stored by default.",
});
