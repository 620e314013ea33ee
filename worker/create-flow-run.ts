/** Makes flow runs: finds out what they are to be, lets the idempotency key decide, and hands them to their owner. */
import { notFound, SluiceError } from "#protocol/errors";
import type { FlowRun, FlowRunCreate, JsonObject } from "#protocol/flow-runs";
import type { FlowId, FlowRunId } from "#protocol/ids";
import { LIMITS } from "#protocol/limits";
import { runName } from "#protocol/run-name";
import type { NewFlowRun } from "../durable-objects/flow-run-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";
import { claimKey } from "./db/queries/flow-runs.ts";
import { flowById } from "./db/queries/flows.ts";
import { newFlowRunId } from "./new-id.ts";

/** A run without what is decided here: its id. */
export type FlowRunDraft = Omit<NewFlowRun, "id" | "name"> & { readonly name: string | null };

/** Flows that were seen, so that a creation reads no row; a flow's id never comes to mean another one. */
const knownFlows = new Set<FlowId>();
const KNOWN_FLOWS_MAX = 10_000;

/** Fails unless the flow exists. */
export async function requireFlow(env: Env, id: FlowId): Promise<void> {
  if (knownFlows.has(id)) return;
  if (!(await flowById(env, id))) {
    throw notFound("Flow", id, "Create the flow first (POST /api/flows/) and send the id that it answers.");
  }
  if (knownFlows.size >= KNOWN_FLOWS_MAX) knownFlows.clear();
  knownFlows.add(id);
}

/** Fails where parameters are larger than a run may carry. */
export function requireSize(parameters: JsonObject): void {
  const bytes = JSON.stringify(parameters).length;
  if (bytes <= LIMITS.parameterBytes) return;
  throw new SluiceError("validation", `Field parameters has ${bytes} bytes; ${LIMITS.parameterBytes} are allowed.`, {
    fix: "Put large data into storage of your own and pass where it is.",
    issues: [{ loc: ["body", "parameters"], msg: "is too large", type: "too_big" }],
  });
}

export async function createFlowRun(env: Env, draft: FlowRunDraft): Promise<{ run: FlowRun; created: boolean }> {
  const { request } = draft;
  requireSize(request.parameters);
  await requireFlow(env, request.flow_id);
  const key = request.idempotency_key ?? null;
  let id: FlowRunId = newFlowRunId(env);
  // The winner of the key may have gone before it made its run: whoever comes with the key again makes it.
  if (key !== null) id = await claimKey(env, request.flow_id, key, id);
  const owner = ownerOf(env.FLOW_RUNS, id);
  if (!owner) throw notFound("Flow run", id);
  return owner.create({ ...draft, id, name: draft.name ?? randomName() });
}

/** The draft of a run that no deployment is behind. */
export function draftOf(body: FlowRunCreate): FlowRunDraft {
  const { state, name, ...request } = body;
  return {
    name: name ?? null,
    request,
    state: state ?? null,
    deploymentVersion: null,
    createdBy: null,
    autoScheduled: false,
    placement: null,
  };
}

/** A name for a run that nobody named. */
export function randomName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint16Array(2));
  return runName(first, second);
}
