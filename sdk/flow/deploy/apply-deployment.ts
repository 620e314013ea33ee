/** Brings a deployment that a program has declared to the control plane. Loaded when one is deployed. */
import type { ApiClient } from "../../client/index.ts";
import { readConcurrencyLimitV2 } from "../../protocol/concurrency-limits.ts";
import { createDeployment } from "../../protocol/deployments.ts";
import { SluiceError } from "../../protocol/errors.ts";
import { readFlowControl, writeFlowControl } from "../../protocol/flow-control.ts";
import { createFlow } from "../../protocol/flows.ts";
import type { DeploymentId, Uuid } from "../../protocol/ids.ts";
import { definitionOf } from "../flow.ts";
import { checkGiven } from "../standard-schema.ts";
import type { PlannedDeployment } from "./deployment.ts";

/**
 * Makes or changes the deployment. Throws `SluiceError` where there is no control plane, or what it refuses, and
 * `ParameterError` for parameters that the flow does not take.
 */
export async function applyDeployment(client: ApiClient, planned: PlannedDeployment): Promise<DeploymentId> {
  const { parameters, schedules = [], enforce_parameter_schema: isEnforced } = planned.body;
  const schema = isEnforced === false ? null : definitionOf(planned.flow).parameters;
  for (const more of [{}, ...(schedules ?? []).map((schedule) => schedule.parameters ?? {})]) {
    await checkGiven(planned.flow.name, schema, { ...parameters, ...more });
  }
  const flow = await client.call(createFlow, { body: { name: planned.flow.name } }, { idempotent: true });
  const shared = planned.globalLimit === null ? {} : { global_concurrency_limit_id: await limitId(client, planned) };
  const body = { ...planned.body, ...shared, flow_id: flow.id };
  const { id } = await client.call(createDeployment, { body }, { idempotent: true });
  const { flowControl, onLost } = planned;
  if (flowControl !== null || onLost !== null) {
    const control = flowControl ?? (await client.call(readFlowControl, { params: { id } }));
    const body = onLost === null ? control : { ...control, on_lost: onLost };
    await client.call(writeFlowControl, { params: { id }, body });
  }
  return id;
}

async function limitId(client: ApiClient, { globalLimit, flow, body }: PlannedDeployment): Promise<Uuid> {
  try {
    return (await client.call(readConcurrencyLimitV2, { params: { id_or_name: globalLimit ?? "" } })).id;
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === "not_found")) throw error;
    const what = `Deployment "${flow.name}/${body.name}" is to share the limit "${globalLimit}", which there is not.`;
    throw new SluiceError("not_found", what, {
      fix: `Create it: sluice limit create ${globalLimit} --limit 10`,
      cause: error,
    });
  }
}
