/** Flows that were seen a short while ago, so that the creation of a run mostly reads no row. */
import { notFound } from "#protocol/errors";
import type { FlowId } from "#protocol/ids";
import { flowById } from "./db/queries/flows.ts";

/** A flow that another isolate deletes is taken for existing for so long at most; its runs then have no flow. */
const KNOWN_MS = 30_000;
const KNOWN_MAX = 10_000;
const knownUntil = new Map<FlowId, number>();

/** Fails unless the flow exists. */
export async function requireFlow(env: Env, id: FlowId): Promise<void> {
  const now = Date.now();
  if ((knownUntil.get(id) ?? 0) > now) return;
  if (!(await flowById(env, id))) {
    throw notFound("Flow", id, "Create the flow first (POST /api/flows/) and send the id that it answers.");
  }
  if (knownUntil.size >= KNOWN_MAX) knownUntil.clear();
  knownUntil.set(id, now + KNOWN_MS);
}

/** A flow was deleted here. */
export function forgetFlow(id: FlowId): void {
  knownUntil.delete(id);
}
