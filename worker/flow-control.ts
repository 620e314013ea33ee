/** What a deployment's flow control makes of a run that is about to be made: its key, and when it may begin. */
import {
  type FlowControl,
  KEY_LABEL,
  type KeySource,
  keyOf,
  ON_LOST_LABEL,
  TTL_LABEL,
  whyPutOff,
} from "#protocol/flow-control";
import type { Labels } from "#protocol/flow-runs";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime, toWireTime } from "#protocol/time";
import { keyedLimitOwner } from "../durable-objects/keyed-limit-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";

/** The labels that keep what the run is limited by. */
export function keyLabels({ concurrency }: FlowControl, source: KeySource): Labels {
  return concurrency === null ? {} : { [KEY_LABEL]: keyOf(concurrency.key, source) };
}

/** The labels that say how long a run may wait and what its loss means, unless whoever makes it says so. */
export function standingLabels({ time_to_live_seconds: seconds, on_lost }: FlowControl): Labels {
  return {
    ...(seconds === null ? {} : { [TTL_LABEL]: seconds }),
    ...(on_lost === null ? {} : { [ON_LOST_LABEL]: on_lost }),
  };
}

/** The first state, put off until the run may begin. Only what waits to be executed is put off. */
export async function putOff(
  env: Env,
  id: DeploymentId,
  { debounce, throttle }: FlowControl,
  source: KeySource,
  state: StateCreate,
): Promise<StateCreate> {
  if (state.type !== "SCHEDULED" || (debounce === null && throttle === null)) return state;
  const wanted = state.state_details.scheduled_time;
  let at = (wanted === null ? Date.now() : fromWireTime(wanted)) as EpochMs;
  if (debounce !== null) at = (at + debounce.seconds * 1_000) as EpochMs;
  if (throttle !== null) {
    at = await keyedLimitOwner(env.KEYED_LIMITS, id).throttle(keyOf(throttle.key, source), throttle, at);
  }
  const isPutOff = at > Date.now() && (wanted === null || at > fromWireTime(wanted));
  const message = state.message ?? (isPutOff ? whyPutOff(debounce !== null) : null);
  return { ...state, message, state_details: { ...state.state_details, scheduled_time: toWireTime(at) } };
}

/** The run before this one of its key, if it is still put off, gives way. */
export async function debounce(
  env: Env,
  id: DeploymentId,
  { debounce: rule }: FlowControl,
  source: KeySource,
  run: FlowRunId,
): Promise<void> {
  if (rule === null) return;
  const key = keyOf(rule.key, source);
  const before = await keyedLimitOwner(env.KEYED_LIMITS, id).debounce(key, run, rule.seconds);
  if (before !== null) await ownerOf(env.FLOW_RUNS, before)?.supersede(before, "waiting");
}
