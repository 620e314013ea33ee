/** Asks for a run of a task that a task worker executes. */

import type { Uuid } from "../../protocol/ids.ts";
import { NO_DETAILS } from "../../protocol/states.ts";
import { createTaskRun } from "../../protocol/task-runs.ts";
import { clock } from "../configuration.ts";
import { requiredClient } from "../deploy/deployment.ts";
import { inputsRecord, resolveInputs } from "../engine/inputs.ts";
import { newTaskRunId } from "../engine/new-id.ts";
import { currentScope } from "../engine/scope.ts";
import { keyOfCall, shortened } from "../engine/subflow-task.ts";
import { taggedHere } from "../tags.ts";
import type { TaskDefinition } from "../task.ts";
import { DelayedRun } from "./delayed-run.ts";
import { forgetParameters, storeParameters } from "./parameters.ts";
import { queueKeyOf } from "./queue-key.ts";

/** Waits for the futures among the arguments, stores them, and makes the run. */
export async function delayTask(task: TaskDefinition, args: readonly unknown[]): Promise<DelayedRun<unknown>> {
  const client = requiredClient("delay()");
  const given = await resolveInputs(args);
  await resolveInputs(task.waitFor);
  const scope = currentScope();
  const flowRunId = scope?.flow?.flowRunId ?? null;
  const taskKey = queueKeyOf(task);
  // Another attempt of the same flow run that makes the same call finds the run that it had asked for.
  const callKey = scope && flowRunId ? await keyOfCall(scope, taskKey, given) : null;
  const named = scope && flowRunId ? scope.execution.identify(taskKey, shortened(callKey)) : null;
  const parametersId = crypto.randomUUID() as Uuid;
  await storeParameters(task, parametersId, given);
  const run = await client.call(
    createTaskRun,
    {
      body: {
        id: named?.id ?? newTaskRunId(clock().now(), null),
        name: named === null ? task.name : `${task.name}-${named.number}`,
        flow_run_id: flowRunId,
        task_key: taskKey,
        dynamic_key: named?.dynamicKey ?? crypto.randomUUID(),
        task_version: task.version,
        empirical_policy: task.policy,
        tags: taggedHere(task.tags, scope?.tags),
        task_inputs: inputsRecord(args, task.shape.names, scope?.task?.taskRunId ?? null),
        state: {
          type: "SCHEDULED",
          state_details: { ...NO_DETAILS, deferred: true, task_parameters_id: parametersId },
        },
      },
    },
    { idempotent: true },
  );
  if (run.state?.state_details.task_parameters_id !== parametersId) await forgetParameters(task, parametersId);
  return new DelayedRun(task, client, run);
}
