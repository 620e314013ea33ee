/** `sluice deployment flow-control`: how runs of a deployment are limited by key, and which hold slots or wait for them. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import {
  type FlowControl,
  readFlowControl,
  readFlowControlRuns,
  writeFlowControl,
} from "../../../protocol/flow-control.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { CONTROL_OPTIONS, controlOf } from "./flow-control-options.ts";

const FIELDS: readonly Column<FlowControl>[] = [
  { title: "Key", value: ({ concurrency }) => concurrency && (concurrency.key ?? "(one for all runs)") },
  { title: "Limit", value: ({ concurrency }) => concurrency?.limit ?? null },
  { title: "Strategy", value: ({ concurrency }) => concurrency?.strategy ?? null },
  {
    title: "Debounce",
    value: ({ debounce }) => debounce && `${debounce.seconds} s by ${debounce.key ?? "deployment"}`,
  },
  {
    title: "Throttle",
    value: ({ throttle }) =>
      throttle && `${throttle.limit} in ${throttle.seconds} s by ${throttle.key ?? "deployment"}`,
  },
  { title: "On loss", value: ({ on_lost }) => on_lost && (on_lost === "retry" ? "offered again" : "crashed") },
  { title: "Time to live", value: (control) => control.time_to_live_seconds && `${control.time_to_live_seconds} s` },
];

/** A line of the table: a run that has a slot of its key, or waits for one. */
interface Line {
  readonly what: string;
  readonly place: number | null;
  readonly key: string;
  readonly run: string;
  readonly since: string;
}

const LINES: readonly Column<Line>[] = [
  { title: "", value: ({ what }) => what },
  { title: "PLACE", value: ({ place }) => place },
  { title: "KEY", value: ({ key }) => key },
  { title: "FLOW RUN", value: ({ run }) => run },
  { title: "SINCE", value: ({ since }) => wholeSeconds(since) },
];

export const deploymentFlowControl = defineCommand({
  noun: "deployment",
  verb: "flow-control",
  summary: "Show or set how runs of a deployment are limited by key, debounced and throttled.",
  arguments: { deployment: deploymentArgument() },
  options: CONTROL_OPTIONS,
  examples: [
    "sluice deployment flow-control etl/daily",
    "sluice deployment flow-control etl/daily --key parameters.customer --limit 2 --strategy round-robin",
    "sluice deployment flow-control etl/daily --off",
    "sluice deployment flow-control etl/daily --debounce 5s --debounce-key parameters.customer --throttle 5/1m",
    "sluice deployment flow-control etl/daily --debounce none --throttle none",
    "sluice deployment flow-control etl/daily --on-lost retry",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    const before = await client.call(readFlowControl, { params: { id } });
    const body = controlOf(before, options);
    const control = body === null ? before : await client.call(writeFlowControl, { params: { id }, body });
    const { holders, waiters } = await client.call(readFlowControlRuns, { params: { id } });
    if (output.format === "json") {
      output.item({ ...control, holders, waiters }, []);
      return undefined;
    }
    output.item(control, FIELDS);
    output.note("");
    const lines: Line[] = [
      ...holders.map((run) => ({ ...run, what: "runs", place: null, run: run.flow_run_id })),
      ...waiters.map((run) => ({ ...run, what: "waits", place: run.position, run: run.flow_run_id })),
    ];
    output.list(lines, LINES, "No run holds a slot of its key, and none waits for one.");
    return undefined;
  },
});
