/** The job template that a pool of a type begins with: the control plane knows those of all types of workers. */
import type { ApiClient, CallOptions } from "../client/index.ts";
import { readCollectionView } from "../protocol/collections.ts";
import type { JsonObject } from "../protocol/flow-runs.ts";
import { at } from "./template/placeholders.ts";

/** Null for a type that is not known there. */
export async function defaultTemplate(client: ApiClient, type: string, how: CallOptions): Promise<JsonObject | null> {
  const view = await client.call(readCollectionView, { params: { view: "aggregate-worker-metadata" } }, how);
  for (const types of Object.values(view)) {
    const found = at(types, [type, "default_base_job_configuration"]);
    if (typeof found === "object" && found !== null) return found as JsonObject;
  }
  return null;
}
