/** Builders for tests that talk to the owners of flow runs directly. */
import { env } from "cloudflare:workers";
import { FlowRunCreate } from "#protocol/flow-runs";
import type { DeploymentId, FlowId, FlowRunId, WorkPoolId } from "#protocol/ids";
import { makeUuid } from "#protocol/ids";
import { StateCreate, type StateType } from "#protocol/states";
import type { EpochMs } from "#protocol/time";
import type { NewFlowRun, RunPlacement } from "../../../durable-objects/flow-run-owner.ts";
import { type FlowRunOwnerStub, ownerOf } from "../../../durable-objects/partition.ts";

let shard = 0;

/** An id in a partition that no other test uses. */
export function freshRunId(): FlowRunId {
  shard += 1;
  return runIdInShard(shard);
}

/** An id in the partition with this shard number. */
export function runIdInShard(number: number): FlowRunId {
  const random = crypto.getRandomValues(new Uint8Array(7));
  return makeUuid({ at: Date.now() as EpochMs, shard: number, windowsBack: 0, random }) as FlowRunId;
}

export const FLOW_ID = "0193a000-0000-7000-8000-00000000f10a" as FlowId;
export const DEPLOYMENT_ID = "0193a000-0000-7000-8000-0000000de910" as DeploymentId;

export function placement(poolName: string): RunPlacement {
  return {
    poolName,
    poolId: "0193a000-0000-7000-8000-000000000b01" as WorkPoolId,
    queue: { id: null, name: "default", priority: 1 },
    entrypoint: "flow.ts:main",
    path: null,
    pullSteps: null,
    jobVariables: {},
  };
}

export function state(
  type: StateType,
  more: Partial<Record<"name" | "message", string>> & { details?: object } = {},
): StateCreate {
  const { details, ...rest } = more;
  return StateCreate.parse({ type, ...rest, state_details: details ?? {} });
}

export function newRun(id: FlowRunId, overrides: Partial<NewFlowRun> = {}, request: object = {}): NewFlowRun {
  return {
    id,
    name: "quiet-otter",
    request: FlowRunCreate.parse({ flow_id: FLOW_ID, ...request }),
    state: state("PENDING"),
    deploymentVersion: null,
    createdBy: null,
    autoScheduled: false,
    placement: null,
    ...overrides,
  };
}

/** A run of a deployment that waits for a worker of the pool. */
export function pooledRun(id: FlowRunId, poolName: string): NewFlowRun {
  return newRun(id, { state: state("SCHEDULED"), placement: placement(poolName) }, { deployment_id: DEPLOYMENT_ID });
}

export function ownerStub(id: FlowRunId): FlowRunOwnerStub & DurableObjectStub {
  const owner = ownerOf(env.FLOW_RUNS, id);
  if (owner === null) throw new Error(`${id} has no partition`);
  return owner as FlowRunOwnerStub & DurableObjectStub;
}

/** Waits for a condition with a deadline that says what it waited for. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  deadlineMs = 5_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain: ${what}.`);
    await scheduler.wait(5);
  }
}
