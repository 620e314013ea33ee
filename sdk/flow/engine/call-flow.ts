/** What happens when a flow is called: a run is made where runs live, and executed in this process. */
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { clock, configuredBackend, configuredClient } from "../configuration.ts";
import type { FlowDefinition } from "../flow.ts";
import { parseParameters } from "../standard-schema.ts";
import type { RunBackend } from "./backend.ts";
import { echo } from "./echo.ts";
import { flowRunName } from "./flow-run-name.ts";
import { OfflineBackend } from "./offline-backend.ts";
import { runFlow } from "./run-flow.ts";
import { currentScope } from "./scope.ts";
import { ServerBackend } from "./server-backend.ts";
import { subflowTask } from "./subflow-task.ts";

/** Runs a flow and answers what its function returns; throws what it throws. */
export async function callFlow(flow: FlowDefinition, parameters: unknown): Promise<unknown> {
  // A function with a default for its parameters gets to use it.
  const takesNone = flow.run.length === 0 && flow.parameters === null;
  const given = parameters ?? (takesNone ? undefined : {});
  const asJson = toJson(flow.name, given ?? {});
  await parseParameters(flow.name, flow.parameters, given);
  const scope = currentScope();
  const session = await backend().createFlowRun({
    flowName: flow.name,
    flowVersion: flow.version,
    runName: flowRunName(flow, asJson),
    parameters: asJson,
    policy: flow.policy,
    tags: flow.tags,
    parent: subflowTask(flow.name),
  });
  echo("info", session.run.name, `Started a run of flow "${flow.name}" (${session.run.id}).`);
  const outcome = await runFlow(flow, session, given, clock(), scope?.task?.signal ?? scope?.flow?.signal ?? null);
  if (outcome.kind === "threw") throw outcome.error;
  return outcome.value;
}

function backend(): RunBackend {
  const configured = configuredBackend();
  if (configured !== null) return configured;
  const client = configuredClient();
  return client === null ? new OfflineBackend({ clock: clock() }) : new ServerBackend(client);
}

/** Parameters as the control plane shows them. */
function toJson(flowName: string, parameters: unknown): JsonObject {
  const wanted = `Flow "${flowName}" takes one object of parameters that can be written as JSON`;
  let text: string | undefined;
  try {
    text = JSON.stringify(parameters);
  } catch (cause) {
    throw new TypeError(`${wanted}. ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  const json: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(`${wanted}, and got ${text ?? typeof parameters}. Call it as: await myFlow({ name: value }).`);
  }
  return json as JsonObject;
}
