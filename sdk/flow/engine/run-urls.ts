/** Where runs are to be seen: in the API, and in the pages that the control plane serves beside it. */
import type { ApiClient } from "../../client/api-client.ts";
import type { FlowRunId, TaskRunId } from "../../protocol/ids.ts";

/** Null without a control plane, as all of these. */
export function flowRunApiUrl(client: ApiClient | null, id: FlowRunId): string | null {
  return client === null ? null : `${client.url}/flow_runs/${id}`;
}

export function flowRunUiUrl(client: ApiClient | null, id: FlowRunId): string | null {
  return client === null ? null : `${client.url.replace(/\/api$/, "")}/runs/${id}`;
}

export function taskRunApiUrl(client: ApiClient | null, id: TaskRunId): string | null {
  return client === null ? null : `${client.url}/task_runs/${id}`;
}

/** On the page of its flow run. */
export function taskRunUiUrl(client: ApiClient | null, flowRunId: FlowRunId | null, id: TaskRunId): string | null {
  const page = flowRunId === null ? null : flowRunUiUrl(client, flowRunId);
  return page === null ? null : `${page}?tab=tasks&task=${id}`;
}
