/** `sluice deployment run`: starts a run of a deployment, and watches it if asked to. */
import { createClient } from "../../../client/api-client.ts";
import { createFlowRunFromDeployment, readDeploymentByName } from "../../../protocol/deployments.ts";
import type { FlowRun } from "../../../protocol/flow-runs.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { EXIT } from "../../exit-codes.ts";
import { flowParameters } from "../../flow-parameter.ts";
import { FLOW_RUN_COLUMNS } from "../../flow-run-columns.ts";
import { followRun } from "../../follow-run.ts";
import { flag, text } from "../../parameters.ts";
import { logLine, stateLine } from "../../run-lines.ts";

export const deploymentRun = defineCommand({
  noun: "deployment",
  verb: "run",
  summary: "Run a deployment now.",
  arguments: {
    deployment: deploymentArgument(),
  },
  options: {
    param: flowParameters(),
    name: text("Name of the run.", { placeholder: "name" }),
    watch: flag("Print states and logs until the run ends; exit 0 only if it is Completed.", { short: "w" }),
  },
  examples: [
    "sluice deployment run hello/demo --watch",
    'sluice deployment run csv-etl/daily --param file=orders.csv --param limit=10 --param \'tags=["a","b"]\'',
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const deployment = await client.call(readDeploymentByName, { params: which });
    const run = await client.call(createFlowRunFromDeployment, {
      params: { id: deployment.id },
      body: {
        parameters: Object.fromEntries(options.param),
        ...(options.name === undefined ? {} : { name: options.name }),
      },
    });
    if (!options.watch) {
      output.item(run, FLOW_RUN_COLUMNS);
      output.note(`\nFollow it with: sluice flow-run logs ${run.id} --follow`);
      return EXIT.ok;
    }
    output.event({ event: "created", run }, `Flow run "${run.name}" (${run.id}) was created.`);
    let last: FlowRun = run;
    for await (const news of followRun(client, run.id)) {
      if (news.kind === "log") output.event({ event: "log", log: news.log }, logLine(news.log, news.who));
      else {
        last = news.run;
        output.event({ event: "state", run: last }, stateLine(last));
      }
    }
    return last.state_type === "COMPLETED" ? EXIT.ok : EXIT.failed;
  },
});
