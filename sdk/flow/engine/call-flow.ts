/** What happens when a flow is called: a run is made where runs live, and executed in this process. */
import type { JsonObject } from "../../protocol/flow-runs.ts";
import { NO_DETAILS, type State } from "../../protocol/states.ts";
import { toWireTime } from "../../protocol/time.ts";
import { clock, configuredBackend, configuredClient, resultSerializer, resultStorage } from "../configuration.ts";
import type { FlowDefinition } from "../flow.ts";
import { secretParameters } from "../parameter-schema.ts";
import type { FoundResult, Keeping } from "../results/keeping.ts";
import type { GeneratorCall } from "../returned.ts";
import { parseParameters } from "../standard-schema.ts";
import { type RunState, runState } from "../states.ts";
import { taggedHere } from "../tags.ts";
import type { RunBackend, SubflowTask } from "./backend.ts";
import { flowRunName } from "./flow-run-name.ts";
import { shapeOf } from "./function-shape.ts";
import { generatorCall, handOver, isGeneratorFunction } from "./generators.ts";
import { newStateId } from "./new-id.ts";
import type { FlowCall, FlowOutcome } from "./run-flow.ts";
import { currentScope, inScope, type Scope } from "./scope.ts";
import { subflowTask } from "./subflow-task.ts";

/** Of code outside of any run. */
const NEVER = new AbortController().signal;

/** Runs a flow and answers what its function returns; throws what it throws. One that yields may be iterated. */
export function callFlow(
  flow: FlowDefinition,
  parameters: unknown,
  self: unknown,
): Promise<unknown> | GeneratorCall<unknown> {
  if (!isGeneratorFunction(flow.run)) return answered(running(flow, parameters, { self }));
  const scope = currentScope();
  return generatorCall((stream) => {
    const start = (): Promise<unknown> => answered(running(flow, parameters, { self, stream }));
    if (scope === null) return start();
    if (stream !== null) scope.execution.openStream(stream);
    return inScope(scope, start);
  });
}

/** Runs a flow and answers its last state, however it ended. */
export async function stateOfFlow(flow: FlowDefinition, parameters: unknown): Promise<RunState<unknown>> {
  const outcome = await running(flow, parameters, {});
  return runState(outcome.state, () => valueIn(outcome));
}

async function answered(run: Promise<FlowOutcome>): Promise<unknown> {
  return valueIn(await run);
}

function valueIn(outcome: FlowOutcome): unknown {
  if (outcome.kind === "threw") throw outcome.error;
  return outcome.value;
}

function running(flow: FlowDefinition, parameters: unknown, call: FlowCall): Promise<FlowOutcome> {
  const run = called(flow, parameters, call);
  // The attempt that it belongs to does not end before it: the next one would find it running.
  currentScope()?.execution.track(run.then(ignore, ignore));
  return run;
}

function ignore(): void {}

async function called(flow: FlowDefinition, parameters: unknown, call: FlowCall): Promise<FlowOutcome> {
  // A function with a default for its parameters gets to use it.
  const takesNone = flow.run.length === 0 && flow.parameters === null;
  const given = parameters ?? (takesNone ? undefined : {});
  const asJson = toJson(flow.name, given ?? {});
  await parseParameters(flow.name, flow.parameters, given);
  const scope = currentScope();
  // The task that stands for the child does not change with its source: what it is found by has to.
  const parent = await subflowTask(flow.name, [given, shapeOf(flow.run).hash]);
  const keeping = scope && parent ? await keepingOf(flow, given, scope, parent) : null;
  const found = (await keeping?.find()) ?? null;
  if (found !== null) return await restored(found, parent, call);
  const { runFlow } = await import("./run-flow.ts");
  const lives = await backend();
  const session = await lives.createFlowRun({
    flowName: flow.name,
    flowVersion: flow.version,
    runName: flowRunName(flow, asJson),
    parameters: asJson,
    secretParameters: secretParameters(flow.parameters),
    policy: flow.policy,
    tags: taggedHere(flow.tags, scope?.tags),
    parent,
  });
  const outcome = await runFlow(flow, session, given, clock(), { ...call, caller: scope });
  // What nobody wanted all of is not the result.
  if (outcome.kind === "returned" && !call.stream?.isClosed) await keeping?.store(outcome.value);
  return outcome;
}

/** The end of a child that had come to it in an earlier attempt of its parent. */
async function restored(found: FoundResult, parent: SubflowTask | null, { stream }: FlowCall): Promise<FlowOutcome> {
  const scope = currentScope();
  await handOver(found.value, stream ?? null, scope?.task?.signal ?? scope?.flow?.signal ?? NEVER);
  const now = clock().now();
  const state: State = {
    id: newStateId(now, parent?.flowRunId ?? null),
    type: "COMPLETED",
    name: "Completed",
    timestamp: toWireTime(now),
    message: "Restored from an earlier attempt of the flow run.",
    data: found.reference,
    state_details: NO_DETAILS,
  };
  return { kind: "returned", state, value: found.value };
}

/** A child run that had completed is restored with its parent's tasks; null where nothing is kept. */
async function keepingOf(
  flow: FlowDefinition,
  given: unknown,
  scope: Scope,
  parent: SubflowTask,
): Promise<Keeping | null> {
  if (!scope.execution.memory?.persists) return null;
  const { Keeping } = await import("../results/keeping.ts");
  const { execution } = scope;
  const shape = shapeOf(flow.run);
  return Keeping.for({
    task: { name: flow.name, key: parent.taskKey, persist: null, cache: null, shape },
    args: [given],
    callKey: parent.callKey,
    scope,
    identity: parent,
    runName: parent.name,
    storage: resultStorage(),
    serializer: resultSerializer(),
    clock: execution.clock,
    signal: scope.task?.signal ?? execution.signal,
    log: (level, message) => execution.log(level, message, scope.task),
  });
}

/** Only what this process uses is loaded: a core without a control plane has no need of its API, nor the other way round. */
async function backend(): Promise<RunBackend> {
  const configured = configuredBackend();
  if (configured !== null) return configured;
  const client = configuredClient();
  if (client !== null) {
    const { ServerBackend } = await import("./server-backend.ts");
    return new ServerBackend(client);
  }
  const { OfflineBackend } = await import("./offline-backend.ts");
  return new OfflineBackend({ clock: clock() });
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
