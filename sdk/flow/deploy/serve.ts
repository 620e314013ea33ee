/** A process that executes the runs of its own deployments, without a work pool. */
import type { DeploymentId } from "../../protocol/ids.ts";
import type { Duration } from "../duration.ts";
import { echo } from "../engine/echo.ts";
import type { AnyFlow } from "../flow.ts";
import { type PlannedDeployment, requiredClient } from "./deployment.ts";

/** How a process serves. Everything may be left out. */
export interface ServeOptions {
  /** Runs at the same time. Default 10. */
  readonly limit?: number;
  /** How often it asks for runs that it was not told of. Default "10s". */
  readonly pollInterval?: Duration;
  /** Whether the schedules of the deployments rest while nobody serves them. Default true. */
  readonly pauseOnShutdown?: boolean;
  /** Ends the serving when it aborts. Default: SIGINT and SIGTERM do, where there are signals. */
  readonly signal?: AbortSignal;
  /** Called when the deployments are known to the control plane and runs are taken. */
  readonly onReady?: (deployments: readonly DeploymentId[]) => void;
}

/**
 * Makes the deployments and executes their runs in this process until it is told to end; then it takes nothing new and
 * waits for the runs in progress. A second signal of the system ends the process at once.
 *
 * Throws `SluiceError` where there is no control plane, or where it refuses a deployment, and TypeError for one that names
 * a work pool.
 */
export async function serve(
  deployments: PlannedDeployment | readonly PlannedDeployment[],
  options: ServeOptions = {},
): Promise<void> {
  const planned = "flow" in deployments ? [deployments] : deployments;
  for (const { flow, options: own } of planned) {
    if (own.workPool === undefined) continue;
    const which = `serve() executes runs in this process, and deployment "${flow.name}/${own.name}" names a work pool.`;
    throw new TypeError(`${which} Leave "workPool" out, or give it to deploy().`);
  }
  const client = requiredClient("serve()");
  const [{ applyDeployment }, { FlowServer }] = await Promise.all([
    import("./apply-deployment.ts"),
    import("./flow-server.ts"),
  ]);
  const flows = new Map<DeploymentId, AnyFlow>();
  for (const one of planned) {
    flows.set(await applyDeployment(client, one), one.flow);
    echo("info", "sluice", `Serving deployment "${one.flow.name}/${one.body.name}".`);
  }
  const signals = options.signal ? null : systemSignals();
  try {
    await new FlowServer(client, flows, options, options.signal ?? signals?.signal ?? null).run();
  } finally {
    signals?.forget();
  }
  if (options.pauseOnShutdown ?? true) {
    const { pauseDeployment } = await import("../../protocol/deployment-operations.ts");
    for (const id of flows.keys()) await client.call(pauseDeployment, { params: { id } }, { idempotent: true });
  }
}

/** A signal that aborts with the system's first one, whose second one then does what it always does. */
export function systemSignals(): { signal: AbortSignal; forget: () => void } | null {
  const { process } = globalThis;
  if (typeof process?.once !== "function") return null;
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const stop = (): void => {
    forget();
    echo("info", "sluice", "Takes no more runs, and waits for those in progress.");
    controller.abort();
  };
  const forget = (): void => {
    for (const name of names) process.removeListener(name, stop);
  };
  for (const name of names) process.once(name, stop);
  return { signal: controller.signal, forget };
}
