/**
 * The door `sluice/protocol`: the wire contract. Schemas and types of one name, endpoints, ids, states, limits, errors.
 *
 * An endpoint's `summary` says what it does, and its docstring what a caller has to expect besides: orders, defaults,
 * and its own errors. Any endpoint may answer these as well: 400 for a body that is not JSON; 401 without a valid key;
 * 403 for a key of a lesser role, or a foreign Host or Origin; 413 for a body of more than 8 MiB; 422 for a field that
 * is not valid; 503 when the control plane cannot take the request at this moment. Every error is an {@link ErrorBody}.
 */

export * from "./access.ts";
export * from "./admin.ts";
export * from "./artifacts.ts";
export * from "./backfills.ts";
export * from "./block-documents.ts";
export * from "./block-schemas.ts";
export * from "./block-types.ts";
export * from "./bounded.ts";
export * from "./channels.ts";
export * from "./collections.ts";
export * from "./concurrency-limits.ts";
export * from "./dashboard.ts";
export * from "./dead-letters.ts";
export * from "./deployment-operations.ts";
export * from "./deployment-versions.ts";
export * from "./deployments.ts";
export * from "./endpoint.ts";
export * from "./endpoints.ts";
export * from "./errors.ts";
export * from "./event-filter.ts";
export * from "./event-matcher.ts";
export * from "./events.ts";
export * from "./filters.ts";
export * from "./flow-control.ts";
export * from "./flow-run-graph.ts";
export * from "./flow-run-inputs.ts";
export * from "./flow-run-operations.ts";
export * from "./flow-run-retry.ts";
export * from "./flow-runs.ts";
export * from "./flows.ts";
export * from "./give-back.ts";
export * from "./glob.ts";
export * from "./ids.ts";
export * from "./job-template.ts";
export * from "./limits.ts";
export * from "./log-message.ts";
export * from "./logs.ts";
export * from "./names.ts";
export * from "./polling.ts";
export * from "./prefect-worker-channel.ts";
export * from "./push.ts";
export * from "./run-actions.ts";
export * from "./run-channel.ts";
export * from "./run-history.ts";
export * from "./run-name.ts";
export * from "./run-stream.ts";
export * from "./saved-searches.ts";
export * from "./schedule-policies.ts";
export * from "./schedule-preview.ts";
export * from "./secret-parameters.ts";
export * from "./server.ts";
export * from "./slot-holders.ts";
export * from "./states.ts";
export * from "./tag-concurrency-limits.ts";
export * from "./task-runs.ts";
export * from "./task-workers.ts";
export * from "./text-query.ts";
export * from "./time.ts";
export * from "./ui-reads.ts";
export * from "./ui-task-runs.ts";
export * from "./utf8.ts";
export * from "./variables.ts";
export * from "./webhooks.ts";
export * from "./why.ts";
export * from "./work-pools.ts";
export * from "./work-queues.ts";
export * from "./worker-channel.ts";
export * from "./worker-poll.ts";
