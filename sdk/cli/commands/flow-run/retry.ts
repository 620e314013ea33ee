/** `sluice flow-run retry`: has a run that ended executed again, whole or in part, or anew with other parameters. */
import { createClient } from "../../../client/api-client.ts";
import { retryFlowRun } from "../../../protocol/flow-run-retry.ts";
import { TaskRunId } from "../../../protocol/ids.ts";
import { defineCommand } from "../../command.ts";
import { flowParameters } from "../../flow-parameter.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";
import { parsed } from "../../parameters.ts";

export const flowRunRetry = defineCommand({
  noun: "flow-run",
  verb: "retry",
  summary: "Run a flow run of a deployment again; tasks that are done are not run again.",
  arguments: { id: flowRunIdArgument() },
  options: {
    from: parsed("Run this task run and all that depend on it again, too, even if done.", readTaskRunId, {
      placeholder: "task-run-id",
    }),
    param: flowParameters(),
  },
  examples: [
    "sluice flow-run retry 019ab5c2-…",
    "sluice flow-run retry 019ab5c2-… --from 019ab5c3-…",
    "sluice flow-run retry 019ab5c2-… --param file=orders.csv",
  ],
  async run({ arguments: { id }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const run = await client.call(retryFlowRun, {
      params: { id },
      body: {
        ...(options.from === undefined ? {} : { from_task_run_id: options.from }),
        ...(options.param.length === 0 ? {} : { parameters: Object.fromEntries(options.param) }),
      },
    });
    const isNew = run.id !== id;
    const text = isNew
      ? `Flow run "${run.name}" (${run.id}) was made, with the other parameters.`
      : `Flow run "${run.name}" (${run.id}) is ${run.state_name}.`;
    output.event({ event: isNew ? "created" : "state", run }, text);
    output.note(`Follow it with: sluice flow-run logs ${run.id} --follow`);
    return undefined;
  },
});

function readTaskRunId(given: string): TaskRunId {
  const id = TaskRunId.safeParse(given);
  if (!id.success) throw new Error("not the id of a task run");
  return id.data;
}
