/** `sluice flow-run retry`: has a run that ended executed again. */
import { createClient } from "../../../client/api-client.ts";
import { readFlowRun, setFlowRunState } from "../../../protocol/flow-runs.ts";
import { isTerminal } from "../../../protocol/states.ts";
import { type EpochMs, toWireTime } from "../../../protocol/time.ts";
import { defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";
import { requireState } from "../../require-state.ts";

export const flowRunRetry = defineCommand({
  noun: "flow-run",
  verb: "retry",
  summary: "Run a flow run of a deployment again; tasks that are done are not run again.",
  arguments: { id: flowRunIdArgument() },
  options: {},
  examples: ["sluice flow-run retry 019ab5c2-…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const run = await client.call(readFlowRun, { params: { id } });
    if (!isTerminal(run.state_type)) {
      throw refusal(`Flow run ${id} is ${run.state_name ?? "without a state"}, so there is nothing to retry.`, {
        fix: `Wait until it has ended: sluice flow-run logs ${id} --follow`,
      });
    }
    if (run.deployment_id === null) {
      throw refusal(`Flow run ${id} has no deployment, so no worker can run it again.`, {
        fix: "Start the program that made it once more.",
      });
    }
    const answer = await client.call(setFlowRunState, {
      params: { id },
      body: {
        state: {
          type: "SCHEDULED",
          message: "Retried from the command line.",
          state_details: { scheduled_time: toWireTime(Date.now() as EpochMs) },
        },
        force: true,
      },
    });
    const state = requireState(answer, ["SCHEDULED"], {
      refused: `Flow run ${id} was not retried`,
      fix: `Look at its state: sluice flow-run inspect ${id}`,
    });
    output.event({ event: "state", id, state }, `Flow run "${run.name}" (${id}) is ${state.name}.`);
    output.note(`Follow it with: sluice flow-run logs ${id} --follow`);
    return undefined;
  },
});

function refusal(message: string, { fix }: { fix: string }): CliError {
  return new CliError(message, { fix, code: "refused", exitCode: EXIT.failed });
}
