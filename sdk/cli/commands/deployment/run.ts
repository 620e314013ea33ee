/** `sluice deployment run`: starts a run of a deployment, and watches it if asked to. */
import { createClient } from "../../../client/api-client.ts";
import { parseDuration } from "../../../flow/duration.ts";
import { intervalSeconds } from "../../../flow/interval.ts";
import { createFlowRunFromDeployment, readDeploymentByName } from "../../../protocol/deployments.ts";
import { type FlowRun, JsonObject } from "../../../protocol/flow-runs.ts";
import { type EpochMs, toWireTime, type WireTime } from "../../../protocol/time.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import { EXIT } from "../../exit-codes.ts";
import { flowParameters } from "../../flow-parameter.ts";
import { FLOW_RUN_COLUMNS } from "../../flow-run-columns.ts";
import { followRun } from "../../follow-run.ts";
import { jobVariables } from "../../job-variable.ts";
import { flag, parsed, repeated, text } from "../../parameters.ts";
import { logLine, stateLine } from "../../run-lines.ts";
import { time } from "../../schedule-options.ts";

const LONGEST_MS = 36_525 * 86_400_000;

export const deploymentRun = defineCommand({
  noun: "deployment",
  verb: "run",
  summary: "Run a deployment, now or later.",
  arguments: {
    deployment: deploymentArgument(),
  },
  options: {
    param: flowParameters(),
    name: text("Name of the run.", { placeholder: "name" }),
    startAt: time("Runs it at this time, in ISO 8601, and not at once."),
    startIn: parsed("Runs it so much later: 10m, '1h 30m', 01:30:00 or PT15M.", readSpan, { placeholder: "span" }),
    idempotencyKey: text("With a key that a run of it has already, that run is shown and none is made.", {
      placeholder: "key",
    }),
    tag: repeated(text("A tag of the run; may be given several times.", { placeholder: "tag" })),
    jobVariable: jobVariables(),
    watch: flag("Print states and logs until the run ends; exit 0 only if it is Completed.", { short: "w" }),
  },
  examples: [
    "sluice deployment run hello/demo --watch",
    'sluice deployment run csv-etl/daily --param file=orders.csv --param limit=10 --param \'tags=["a","b"]\'',
    "sluice deployment run csv-etl/daily --start-at 2026-12-24T18:00:00+01:00 --tag by-hand",
    "sluice deployment run csv-etl/daily --start-in 10m --idempotency-key order-7",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const startAt = startOf(options.startAt, options.startIn);
    const { idempotencyKey, tag, jobVariable } = options;
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const deployment = await client.call(readDeploymentByName, { params: which });
    const run = await client.call(createFlowRunFromDeployment, {
      params: { id: deployment.id },
      body: {
        parameters: Object.fromEntries(options.param),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(startAt === null
          ? {}
          : { state: { type: "SCHEDULED" as const, state_details: { scheduled_time: startAt } } }),
        ...(idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }),
        ...(tag.length === 0 ? {} : { tags: tag }),
        ...(jobVariable.length === 0 ? {} : { job_variables: JsonObject.parse(Object.fromEntries(jobVariable)) }),
      },
    });
    if (!options.watch) {
      output.item(run, FLOW_RUN_COLUMNS);
      output.note(`\nFollow it with: sluice flow-run logs ${run.id} --follow`);
      return EXIT.ok;
    }
    const what = idempotencyKey === undefined ? "was created" : `is the run with the key ${idempotencyKey}`;
    output.event({ event: "created", run }, `Flow run "${run.name}" (${run.id}) ${what}.`);
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

/** Null for now. */
function startOf(startAt: WireTime | undefined, startInMs: number | undefined): WireTime | null {
  if (startInMs === undefined) return startAt ?? null;
  if (startAt === undefined) return toWireTime((Date.now() + startInMs) as EpochMs);
  throw new CliError("When the run begins is said twice.", { fix: "Give one of --start-at and --start-in." });
}

/** Milliseconds, of a number with a unit or of what an interval of a schedule may be. */
function readSpan(given: string): number {
  let spanMs: number;
  try {
    spanMs = /^[\d.]+$|:|^P/i.test(given) ? intervalSeconds(given) * 1_000 : parseDuration(given, "it");
  } catch (error) {
    throw new Error("not a span: write 10m, 1h 30m, 01:30:00 or PT15M", { cause: error });
  }
  if (spanMs > LONGEST_MS) throw new Error("more than a hundred years");
  return spanMs;
}
