/** Small results in the control plane, kept and deleted with their run. Encrypt them where it must not see them. */
import type { ApiClient } from "../../client/index.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { fromBase64, toBase64 } from "./json-values.ts";
import type { ResultStorage } from "./storage.ts";

/**
 * Keeps the results of a run with the run: every worker that executes it finds them, and they go when it is deleted. Not
 * for caches, which belong to no run, nor for results of more than about 384 kB. `through` is the way there; default: as
 * the process is configured.
 */
export function controlPlaneStorage(through: ApiClient | null = null): ResultStorage {
  const place = (key: string): { id: FlowRunId; key: string } => {
    const [kind, id, ...name] = key.split("/");
    if (kind !== "runs" || id === undefined || name.length === 0) {
      throw new TypeError(
        `The control plane keeps results of runs only, not "${key}". Give a cached task a storage of its own.`,
      );
    }
    // It ends in a mark of its own, since inputs are found by how their keys begin.
    return { id: id as FlowRunId, key: `result-${name.join("-")}.` };
  };
  const client = () => through ?? requiredClient("controlPlaneStorage()");
  const operations = () => import("../../protocol/flow-run-inputs.ts");
  const storage: ResultStorage = {
    async read(given) {
      const { id, key } = place(given);
      const body = { prefix: key, limit: 1 };
      const { filterFlowRunInput } = await operations();
      const [found] = await client().call(filterFlowRunInput, { params: { id }, body }, { idempotent: true });
      return found?.key === key ? fromBase64(JSON.parse(found.value) as string) : null;
    },
    async write(given, bytes) {
      const { id, key } = place(given);
      const value = JSON.stringify(toBase64(bytes));
      if (value.length > LIMITS.parameterBytes) {
        throw new RangeError(
          `The result has ${bytes.length} bytes, more than the control plane keeps. Keep it in another storage.`,
        );
      }
      await storage.delete(given);
      const { createFlowRunInput } = await operations();
      await client().call(createFlowRunInput, { params: { id }, body: { key, value } }, { idempotent: true });
    },
    async delete(given) {
      const { id, key } = place(given);
      if ((await storage.read(given)) === null) return;
      const { deleteFlowRunInput } = await operations();
      await client().call(deleteFlowRunInput, { params: { id, key } });
    },
  };
  return storage;
}
