/** Executes a run that was made elsewhere: what the process does that a worker starts for a run. */
import type { ApiClient } from "../../client/index.ts";
import { updateFlowRun } from "../../protocol/flow-runs.ts";
import type { FlowRunId } from "../../protocol/ids.ts";
import type { State } from "../../protocol/states.ts";
import { clock } from "../configuration.ts";
import { FlowRunRefusedError } from "../errors.ts";
import { type AnyFlow, definitionOf } from "../flow.ts";
import type { ResultStorage } from "../results/storage.ts";
import type { BudgetSpan } from "./budget.ts";
import { flowRunName } from "./flow-run-name.ts";
import { runFlow } from "./run-flow.ts";
import { openServerSession, type ServerSession } from "./server-backend.ts";

export interface ExecuteFlowRunOptions {
  readonly client: ApiClient;
  readonly flowRunId: FlowRunId;
  /** Of the claim under which the run is executed; null for a run that was not claimed. */
  readonly generation: number | null;
  /** The flow, or its code on the way: the run's channel is opened meanwhile. */
  readonly flow: AnyFlow | Promise<AnyFlow>;
  /** Null reports by requests only. Default: over a WebSocket where there is one. */
  readonly webSocket?: null;
  /** Told when the run may be somebody else's, where lost runs are offered again; see `RunChannelOptions`. */
  readonly onTerm?: ((leftMs: number) => void) | undefined;
  /** Refuses a run that does not wait for its process: one that was pushed twice was begun, and may have ended. */
  readonly onlyPending?: boolean;
  /** How long this process may work on the run. Default: as long as it takes. */
  readonly budget?: BudgetSpan | null;
  /** In place of what the process is configured to use. */
  readonly resultStorage?: ResultStorage | null;
}

/**
 * Takes the run's parameters from its owner, runs the flow and reports; answers the run's last state, whatever became of
 * it. Everything is stored when it answers. Throws when the owner refuses this process (`SluiceError`,
 * `FlowRunRefusedError`) or is lost for good (`ApiUnreachableError`), and what the loading of the flow throws.
 */
export async function executeFlowRun(options: ExecuteFlowRunOptions): Promise<State> {
  const { client, flowRunId, generation, webSocket, onTerm } = options;
  const opening = openServerSession(client, flowRunId, generation, { webSocket, onTerm });
  const [loaded, opened] = await Promise.allSettled([options.flow, opening]);
  if (loaded.status === "rejected") {
    // Nothing was proposed on it: the run is as its claim left it.
    if (opened.status === "fulfilled") await opened.value.close();
    throw loaded.reason;
  }
  if (opened.status === "rejected") throw opened.reason;
  const flow = definitionOf(loaded.value);
  const session = opened.value;
  const { state } = session.document;
  if (options.onlyPending && state?.type !== "PENDING" && state?.type !== "CANCELLING") {
    await session.close();
    throw new FlowRunRefusedError(`Flow run "${session.run.name}" does not wait: it is ${state?.name}.`, state);
  }
  try {
    await adoptRetries(client, session, flow.policy);
    const name = flowRunName(flow, session.run.parameters);
    if (name !== null && name !== session.run.name) {
      await client.call(updateFlowRun, { params: { id: flowRunId }, body: { name } });
    }
  } catch (error) {
    // A session that stays open shows a run that lives.
    await session.close();
    throw error;
  }
  const { budget = null, resultStorage = null } = options;
  const limits = { budget, resultStorage };
  const outcome = await runFlow(flow, session, session.run.parameters, clock(), { limits });
  return outcome.state;
}

/** The retries that the code declares hold for runs that were made without knowing the code. */
async function adoptRetries(
  client: ApiClient,
  session: ServerSession,
  declared: { retries: number | null; retry_delay: number | null },
): Promise<void> {
  const { empirical_policy: policy, id } = session.document;
  if (policy.retries !== null || !declared.retries) return;
  const adopted = { ...policy, retries: declared.retries, retry_delay: declared.retry_delay };
  await client.call(updateFlowRun, { params: { id }, body: { empirical_policy: adopted } });
}
