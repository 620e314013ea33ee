/** Which limit of its deployment a run waits for, who holds it, and its place in line: asked of the limits themselves. */
import { type KeyedConcurrency, keyOf } from "#protocol/flow-control";
import type { DeploymentId, FlowRunId } from "#protocol/ids";
import type { Why } from "#protocol/why";
import { type DeploymentLimit, DeploymentLimits } from "../durable-objects/deployment-limits.ts";
import { keyedLimitOwner } from "../durable-objects/keyed-limit-owner.ts";
import { limitOwner } from "../durable-objects/limit-owner.ts";
import { ownerOf } from "../durable-objects/partition.ts";

/** Runs that a reason names. */
const NAMED = 20;

/** Nothing where there is no limit, or where it has a slot for the run. */
export async function whyNoSlot(env: Env, id: FlowRunId, deploymentId: DeploymentId): Promise<Why[]> {
  const { shared, keyed } = await new DeploymentLimits(env.DB).of(deploymentId);
  const [ofKey, ofLimit] = await Promise.all([
    keyed === null ? [] : whyNoKeyedSlot(env, id, deploymentId, keyed.settings),
    shared === null ? [] : whyNoSharedSlot(env, id, shared),
  ]);
  return [...ofKey, ...ofLimit];
}

async function whyNoSharedSlot(env: Env, id: FlowRunId, { name, settings }: DeploymentLimit): Promise<Why[]> {
  const { activeSlots, holders, waiters } = await limitOwner(env.CONCURRENCY_LIMITS, settings.id).status();
  const place = waiters.findIndex(({ holder }) => holder?.id === id);
  const runs = holders.flatMap(({ holder }) => (holder?.type === "flow_run" ? [holder.id as FlowRunId] : []));
  return whyFull({
    limit: "deployment",
    name,
    what: `The concurrency limit "${name}"`,
    slots: settings.limit,
    taken: activeSlots,
    holders: runs,
    position: place < 0 ? null : place + 1,
    waiting: waiters.length,
  });
}

async function whyNoKeyedSlot(
  env: Env,
  id: FlowRunId,
  deploymentId: DeploymentId,
  keyed: KeyedConcurrency,
): Promise<Why[]> {
  const [status, run] = await Promise.all([
    keyedLimitOwner(env.KEYED_LIMITS, deploymentId).status(),
    ownerOf(env.FLOW_RUNS, id)?.read(id) ?? null,
  ]);
  if (run === null) return [];
  const inLine = status.waiters.find((waiter) => waiter.run === id);
  const key = inLine?.key ?? keyOf(keyed.key, run);
  const isCommon = keyed.strategy === "round-robin";
  const holders = status.holders.filter((holder) => isCommon || holder.key === key).map((holder) => holder.run);
  const line = status.waiters.filter((waiter) => waiter.key === key);
  const ofWhom = keyed.key === null || isCommon ? "of the deployment's runs" : `of ${keyed.key} "${key}"`;
  return whyFull({
    limit: "key",
    name: key,
    what: `The limit ${ofWhom}`,
    slots: keyed.limit,
    taken: holders.length,
    holders,
    position: inLine ? line.indexOf(inLine) + 1 : null,
    waiting: line.length,
  });
}

function whyFull(view: {
  readonly limit: "deployment" | "key";
  readonly name: string;
  readonly what: string;
  readonly slots: number;
  readonly taken: number;
  readonly holders: readonly FlowRunId[];
  /** Null when it has not asked yet. */
  readonly position: number | null;
  readonly waiting: number;
}): Why[] {
  const { limit, name, what, slots, taken, holders, position, waiting } = view;
  const reasons: Why[] = [];
  if (taken >= slots) {
    const more = holders.length > 3 ? " and others" : "";
    const by = holders.length > 0 ? `, by flow run ${holders.slice(0, 3).join(", ")}${more}` : "";
    reasons.push({
      kind: "limit_full",
      message: `${what} has ${slots} slots, and ${taken} are taken${by}.`,
      details: { limit, name, slots, taken, holders: holders.slice(0, NAMED) },
    });
  }
  if (position !== null) {
    const message = `It is number ${position} of ${waiting} in line for ${what.charAt(0).toLowerCase()}${what.slice(1)}.`;
    reasons.push({ kind: "in_limit_line", message, details: { limit, name, position, waiting } });
  }
  return reasons;
}
