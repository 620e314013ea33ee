/** Finds the flow that a name or an id stands for. */
import type { ApiClient } from "../../../client/api-client.ts";
import { type Flow, readFlow, readFlowByName } from "../../../protocol/flows.ts";
import { FlowId } from "../../../protocol/ids.ts";

export function flowNamed(client: ApiClient, nameOrId: string): Promise<Flow> {
  const id = FlowId.safeParse(nameOrId);
  return id.success
    ? client.call(readFlow, { params: { id: id.data } })
    : client.call(readFlowByName, { params: { name: nameOrId } });
}
