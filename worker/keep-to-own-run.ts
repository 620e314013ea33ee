/** What the token of a run is not good for, though its role would be: the work of workers, and the runs of others. */
import { SluiceError } from "#protocol/errors";
import { FlowRunId } from "#protocol/ids";
import type { StateType } from "#protocol/states";
import { ownerOf } from "../durable-objects/partition.ts";

/** Taking runs, and telling of workers. */
const OF_WORKERS =
  /^\/api\/(?:work_pools\/[^/]+\/(?:channel|poll|workers|get_scheduled_flow_runs)|work_queues\/[^/]+\/get_runs|deployments\/get_scheduled_flow_runs|flow_runs\/[^/]+\/give_back)(?:\/|$)/;
/** States that are asked for by whoever looks after runs. */
const OF_MANAGERS: ReadonlySet<StateType> = new Set(["SCHEDULED", "PAUSED", "CANCELLING", "CANCELLED"]);
/** Speaking as the process of a run. */
const OF_A_RUN = /^\/api\/flow_runs\/([^/]+)\/(?:channel|frames)$/;

/**
 * Throws `forbidden` for a request that the token of run `own` does not cover. A run's process also executes the runs of
 * flows that it calls, which belong to no deployment; one that a worker was given belongs to one.
 */
export async function keepToOwnRun(env: Env, path: string, own: FlowRunId): Promise<void> {
  if (OF_WORKERS.test(path)) throw refusal(path, "takes runs as workers do");
  const [, named] = OF_A_RUN.exec(path) ?? [];
  const id = FlowRunId.safeParse(named);
  if (id.success) await requireOwn(env, path, own, id.data);
}

/**
 * Throws `forbidden` where the token of run `own` proposes what the process or the worker of another run does: that it is
 * taken, goes on or has ended. A flow may start, pause and cancel other runs.
 */
export async function keepStatesToOwnRun(env: Env, own: FlowRunId, id: FlowRunId, type: StateType): Promise<void> {
  if (OF_MANAGERS.has(type)) return;
  await requireOwn(env, `${type} of flow run ${id}`, own, id);
}

async function requireOwn(env: Env, what: string, own: FlowRunId, id: FlowRunId): Promise<void> {
  if (id === own) return;
  const run = await ownerOf(env.FLOW_RUNS, id)?.read(id);
  if (run?.deployment_id) throw refusal(what, "reports for another run");
}

function refusal(path: string, what: string): SluiceError {
  return new SluiceError("forbidden", `${path} ${what}, which the token of a run does not allow.`, {
    fix: "Use a key with the role worker: sluice key create NAME --role worker",
  });
}
