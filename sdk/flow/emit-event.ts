/** Events that programs tell of. */
import type { Uuid } from "../protocol/ids.ts";
import { toWireTime } from "../protocol/time.ts";
import { clock, configuredClient } from "./configuration.ts";
import { currentScope } from "./engine/scope.ts";

/** What happened to what. */
export interface EmittedEvent {
  /** For example `invoice.paid`. */
  readonly event: string;
  /** What it happened to: its id, or labels of which `prefect.resource.id` is one. */
  readonly resource: string | Readonly<Record<string, string>>;
  /** Others that have a part in it, each with a `prefect.resource.id` and a `prefect.resource.role`. */
  readonly related?: readonly Readonly<Record<string, string>>[];
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Default: now. */
  readonly occurred?: Date;
}

/**
 * Tells the control plane of an event; inside a run, the run, its flow and its deployment are related to it. Answers the
 * event's id; null where there is no control plane. Throws `SluiceError` for an event that cannot be.
 */
export async function emitEvent(event: EmittedEvent): Promise<Uuid | null> {
  const [id = null] = await emitEvents([event]);
  return id;
}

/** {@link emitEvent} for several, which are stored in their order. */
export async function emitEvents(events: readonly EmittedEvent[]): Promise<readonly Uuid[]> {
  const client = configuredClient();
  if (client === null || events.length === 0) return [];
  const own = ownRun();
  const body = events.map(({ event, resource, occurred, payload, related = [] }) => ({
    id: crypto.randomUUID() as Uuid,
    occurred: occurred?.toISOString() ?? toWireTime(clock().now()),
    event,
    resource: typeof resource === "string" ? { "prefect.resource.id": resource } : { ...resource },
    related: [...related.map((one) => ({ ...one })), ...own],
    payload: { ...payload },
  }));
  const { createEvents } = await import("../protocol/events.ts");
  await client.call(createEvents, { body: body as never }, { idempotent: true });
  return body.map(({ id }) => id);
}

function ownRun(): Record<string, string>[] {
  const scope = currentScope();
  const related: Record<string, string>[] = [];
  const add = (kind: string, id: string, name: string | null): void =>
    void related.push({
      "prefect.resource.id": `prefect.${kind}.${id}`,
      ...(name === null ? {} : { "prefect.resource.name": name }),
      "prefect.resource.role": kind,
    });
  if (scope?.task) add("task-run", scope.task.taskRunId, scope.task.taskRunName);
  if (scope?.flow) add("flow-run", scope.flow.flowRunId, scope.flow.flowRunName);
  const flowId = scope?.execution.session?.run.flowId;
  if (scope?.flow && flowId) add("flow", flowId, scope.flow.flowName);
  if (scope?.flow?.deploymentId) add("deployment", scope.flow.deploymentId, null);
  return related;
}
