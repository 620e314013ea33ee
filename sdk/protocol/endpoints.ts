/** Every operation of the API, in one list: what is served, and what `/api/openapi.json` prints. */
import * as access from "./access.ts";
import * as admin from "./admin.ts";
import * as artifacts from "./artifacts.ts";
import * as backfills from "./backfills.ts";
import * as blockDocuments from "./block-documents.ts";
import * as blockSchemas from "./block-schemas.ts";
import * as blockTypes from "./block-types.ts";
import * as collections from "./collections.ts";
import * as concurrencyLimits from "./concurrency-limits.ts";
import * as dashboard from "./dashboard.ts";
import * as deadLetters from "./dead-letters.ts";
import * as deploymentOperations from "./deployment-operations.ts";
import * as deploymentVersions from "./deployment-versions.ts";
import * as deployments from "./deployments.ts";
import type { Endpoint } from "./endpoint.ts";
import * as events from "./events.ts";
import * as flowControl from "./flow-control.ts";
import * as flowRunGraph from "./flow-run-graph.ts";
import * as flowRunInputs from "./flow-run-inputs.ts";
import * as flowRunOperations from "./flow-run-operations.ts";
import * as flowRunRetry from "./flow-run-retry.ts";
import * as flowRuns from "./flow-runs.ts";
import * as flows from "./flows.ts";
import * as giveBack from "./give-back.ts";
import * as logs from "./logs.ts";
import * as polling from "./polling.ts";
import * as push from "./push.ts";
import * as runChannel from "./run-channel.ts";
import * as savedSearches from "./saved-searches.ts";
import * as schedulePolicies from "./schedule-policies.ts";
import * as schedulePreview from "./schedule-preview.ts";
import * as server from "./server.ts";
import * as slotHolders from "./slot-holders.ts";
import * as tagConcurrencyLimits from "./tag-concurrency-limits.ts";
import * as taskRuns from "./task-runs.ts";
import * as taskWorkers from "./task-workers.ts";
import * as uiReads from "./ui-reads.ts";
import * as uiTaskRuns from "./ui-task-runs.ts";
import * as variables from "./variables.ts";
import * as webhooks from "./webhooks.ts";
import * as why from "./why.ts";
import * as workPools from "./work-pools.ts";
import * as workQueues from "./work-queues.ts";
import * as workerPoll from "./worker-poll.ts";

const MODULES = [
  server,
  access,
  admin,
  dashboard,
  flows,
  flowRuns,
  flowRunOperations,
  flowRunGraph,
  flowRunRetry,
  giveBack,
  why,
  flowRunInputs,
  taskRuns,
  taskWorkers,
  uiTaskRuns,
  logs,
  deployments,
  deploymentOperations,
  deploymentVersions,
  flowControl,
  schedulePolicies,
  schedulePreview,
  backfills,
  webhooks,
  workPools,
  workQueues,
  push,
  polling,
  workerPoll,
  deadLetters,
  slotHolders,
  artifacts,
  variables,
  concurrencyLimits,
  tagConcurrencyLimits,
  events,
  uiReads,
  savedSearches,
  blockTypes,
  blockSchemas,
  blockDocuments,
  collections,
  runChannel,
];

/** All operations, in the order in which the API's document has them. WebSockets are in `CHANNELS`. */
export const ENDPOINTS: readonly Endpoint[] = MODULES.flatMap((module) => Object.values(module).filter(isEndpoint));

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === "object" && value !== null && "method" in value && "path" in value && "role" in value;
}
