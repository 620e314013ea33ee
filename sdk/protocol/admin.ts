/** What an administrator sees and sets of the server itself. `/admin/version` is with the other greetings in server.ts. */
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { Uuid } from "./ids.ts";

/** The configuration that the server runs with. No secret is in it. */
export const ServerSettings = z.object({
  server: z.object({
    version: z.string(),
    mode: z.string(),
    schema: z.string(),
    allowed_hosts: z.array(z.string()),
  }),
  api: z.object({
    /** Whether a caller needs a key. */
    requires_key: z.boolean(),
    page_rows: z.int(),
    body_bytes: z.int(),
    parameter_bytes: z.int(),
    log_bytes_per_run: z.int(),
  }),
  runs: z.object({
    /** Over how many objects of a week new runs are spread. */
    shards: z.int(),
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

export const readSettings = endpoint({
  id: "read_settings",
  method: "GET",
  path: "/admin/settings",
  tag: "Admin",
  role: "viewer",
  summary: "The server's configuration, without secrets.",
  returns: ServerSettings,
});
export const readDefaultStorage = endpoint({
  id: "read_server_default_result_storage",
  method: "GET",
  path: "/admin/storage",
  tag: "Admin",
  role: "viewer",
  summary: "The block in which results are stored by default.",
  returns: DefaultResultStorage,
});
export const writeDefaultStorage = endpoint({
  id: "update_server_default_result_storage",
  method: "PUT",
  path: "/admin/storage",
  tag: "Admin",
  summary: "Set the block in which results are stored by default.",
  body: z.object({ default_result_storage_block_id: Uuid }),
  returns: DefaultResultStorage,
});
export const clearDefaultStorage = endpoint({
  id: "clear_server_default_result_storage",
  method: "DELETE",
  path: "/admin/storage",
  tag: "Admin",
  status: 204,
  summary: "Forget the block in which results are stored by default.",
});
