/** What the token of a run is not good for, though its role would be: the work of workers, and the runs of others. */
import { SluiceError } from "#protocol/errors";
import { FlowRunId } from "#protocol/ids";
import { ownerOf } from "../durable-objects/partition.ts";

/** Taking runs, and telling of workers. */
const OF_WORKERS =
  /^\/api\/(?:work_pools\/[^/]+\/(?:channel|poll|workers|get_scheduled_flow_runs)|work_queues\/[^/]+\/get_runs|deployments\/get_scheduled_flow_runs|flow_runs\/[^/]+\/give_back)(?:\/|$)/;
/** Speaking as the process of a run. */
const OF_A_RUN = /^\/api\/flow_runs\/([^/]+)\/(?:channel|frames)$/;

/**
 * Throws `forbidden` for a request that the token of run `own` does not cover. A run's process also executes the runs of
 * flows that it calls, which belong to no deployment; one that a worker was given belongs to one.
 */
export async function keepToOwnRun(env: Env, path: string, own: FlowRunId): Promise<void> {
  if (OF_WORKERS.test(path)) throw refusal(path, "takes runs as workers do");
  const [, named] = OF_A_RUN.exec(path) ?? [];
  if (named === undefined || named.toLowerCase() === own) return;
  const id = FlowRunId.safeParse(named);
  const run = id.success ? await ownerOf(env.FLOW_RUNS, id.data)?.read(id.data) : null;
  if (run?.deployment_id) throw refusal(path, "reports for another run");
}

function refusal(path: string, what: string): SluiceError {
  return new SluiceError("forbidden", `${path} ${what}, which the token of a run does not allow.`, {
    fix: "Use a key with the role worker: sluice key create NAME --role worker",
  });
}
