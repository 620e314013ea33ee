/** What of Prefect's REST API is not served yet, and the issue that it belongs to. Data of `openapi.test.ts`. */

/** Operations of other issues: a title, or a pattern of titles. */
export const OTHER_ISSUES: readonly { readonly operations: RegExp; readonly issue: string }[] = [
  { operations: /^\w+ \/automations\//, issue: "later: automations" },
  { operations: /^POST \/templates\/validate$/, issue: "later: automations" },
  {
    operations: /^\w+ \/events\/(filter|filter\/next|count-by\/\{countable\})$/,
    issue: "later: lasting event queries",
  },
  { operations: /^\w+ \/(v2\/)?concurrency_limits\//, issue: "limits: concurrency" },
  { operations: /^POST \/deployments\/get_scheduled_flow_runs$/, issue: "dispatch: work pools" },
  { operations: /^POST \/work_pools\/\{name\}\/get_scheduled_flow_runs$/, issue: "dispatch: work pools" },
  { operations: /^POST \/work_(pools|queues)\/\{\w+\}\/(concurrency_status|get_runs)$/, issue: "dispatch: work pools" },
];

/** Operations of this issue that are being written. The list only shrinks: what is served must not stand here. */
export const UNDER_WAY: readonly string[] = [
  "POST /flow_runs/history",
  "PATCH /task_runs/{id}",
  "DELETE /task_runs/{id}",
  "POST /task_runs/history",
  "POST /task_runs/{id}/set_state",
  "GET /task_run_states/{id}",
  "PUT /saved_searches/",
  "GET /saved_searches/{id}",
  "DELETE /saved_searches/{id}",
  "POST /saved_searches/filter",
  "POST /block_types/",
  "GET /block_types/{id}",
  "PATCH /block_types/{id}",
  "DELETE /block_types/{id}",
  "GET /block_types/slug/{slug}",
  "POST /block_types/filter",
  "GET /block_types/slug/{slug}/block_documents",
  "GET /block_types/slug/{slug}/block_documents/name/{block_document_name}",
  "POST /block_types/install_system_block_types",
  "POST /block_documents/",
  "POST /block_documents/filter",
  "POST /block_documents/count",
  "GET /block_documents/{id}",
  "DELETE /block_documents/{id}",
  "PATCH /block_documents/{id}",
  "POST /task_workers/filter",
  "POST /block_schemas/",
  "DELETE /block_schemas/{id}",
  "GET /block_schemas/{id}",
  "POST /block_schemas/filter",
  "GET /block_schemas/checksum/{checksum}",
  "GET /block_capabilities/",
  "GET /collections/views/{view}",
  "GET /csrf-token",
  "POST /events",
  "GET /admin/settings",
  "GET /admin/storage",
  "PUT /admin/storage",
  "DELETE /admin/storage",
];

/**
 * Fields of bodies and parameters of queries that a served operation does not know, and why. A line that no field needs
 * fails, so that this list only shrinks too.
 */
export const UNKNOWN_FIELDS: readonly { readonly fields: RegExp; readonly reason: string }[] = [
  { fields: /^POST \/task_runs\/: body cache_expiration$/, reason: "api, under way" },
  {
    fields: /\/artifacts\/\S+: body (artifacts\.operator|flows|flow_runs|task_runs|deployments)$/,
    reason: "api, under way",
  },
  { fields: /^POST \/ui\/task_runs\/dashboard\/counts: body work_queues$/, reason: "api, under way" },
  { fields: /^PATCH \/work_\S+: body last_polled$/, reason: "api, under way" },
  { fields: /deployments\/\S*: body version_info$/, reason: "api, under way: versions of deployments" },
  { fields: /deployments\/\S*: body global_concurrency_limit_id$/, reason: "limits: concurrency" },
  { fields: /^\w+ \/work_\S+: body filter$/, reason: "Upstream has deprecated it and ignores it" },
];
