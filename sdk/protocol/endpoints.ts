/** Every operation of the API, in one list: what is served, and what `/api/openapi.json` prints. */
import * as artifacts from "./artifacts.ts";
import * as deployments from "./deployments.ts";
import type { Endpoint } from "./endpoint.ts";
import * as events from "./events.ts";
import * as flowRunInputs from "./flow-run-inputs.ts";
import * as flowRuns from "./flow-runs.ts";
import * as flows from "./flows.ts";
import * as logs from "./logs.ts";
import * as runChannel from "./run-channel.ts";
import * as server from "./server.ts";
import * as taskRuns from "./task-runs.ts";
import * as variables from "./variables.ts";
import * as workPools from "./work-pools.ts";

const MODULES = [
  server,
  flows,
  flowRuns,
  flowRunInputs,
  taskRuns,
  logs,
  deployments,
  workPools,
  artifacts,
  variables,
  events,
  runChannel,
];

export const ENDPOINTS: readonly Endpoint[] = MODULES.flatMap((module) => Object.values(module).filter(isEndpoint));

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === "object" && value !== null && "method" in value && "path" in value && "role" in value;
}
