/** Flows that were seen a short while ago, so that the creation of a run mostly reads no row. */
import { notFound } from "#protocol/errors";
import type { Labels } from "#protocol/flow-runs";
import type { FlowId } from "#protocol/ids";
import { flowById } from "./db/queries/flows.ts";

/** A flow that another isolate deletes is taken for existing for so long at most; its runs then have no flow. */
const KNOWN_MS = 30_000;
const KNOWN_MAX = 10_000;
const known = new Map<FlowId, { readonly labels: Labels; readonly until: number }>();

/** The labels of a flow, which go on to its deployments and runs. Fails unless the flow exists. */
export async function requireFlow(env: Env, id: FlowId): Promise<Labels> {
  const now = Date.now();
  const seen = known.get(id);
  if (seen && seen.until > now) return seen.labels;
  const flow = await flowById(env, id);
  if (!flow) throw notFound("Flow", id, "Create the flow first (POST /api/flows/) and send the id that it answers.");
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(id, { labels: flow.labels, until: now + KNOWN_MS });
  return flow.labels;
}

/** A flow was deleted here. */
export function forgetFlow(id: FlowId): void {
  known.delete(id);
}
