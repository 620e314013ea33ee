/** `sluice deployment flow-control`: how runs of a deployment are limited by key, debounced and throttled. */
import { createClient } from "../../../client/api-client.ts";
import { readDeploymentByName } from "../../../protocol/deployments.ts";
import {
  CONCURRENCY_STRATEGIES,
  type FlowControl,
  ON_LOST,
  readFlowControl,
  readFlowControlRuns,
  writeFlowControl,
} from "../../../protocol/flow-control.ts";
import { defineCommand } from "../../command.ts";
import { deploymentArgument } from "../../deployment-name.ts";
import { CliError } from "../../errors.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import type { Column } from "../../output.ts";
import { choice, flag, integer, text } from "../../parameters.ts";

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
  summary: "Show or set the limit by key of a deployment, with the runs that hold slots or wait.",
  arguments: { deployment: deploymentArgument() },
  options: {
    key: text("Path of the key, such as parameters.customer. Default: one key for all runs.", { placeholder: "path" }),
    limit: integer("Runs of each key at the same time.", { min: 1, short: "l" }),
    strategy: choice("What becomes of one more run.", CONCURRENCY_STRATEGIES),
    off: flag("Take the limit by key away."),
    onLost: choice("What becomes of a run whose process is lost: it ends Crashed, or is offered again.", ON_LOST),
    timeToLive: integer("Seconds for which a run may wait to be started; 0 for ever.", { min: 0, placeholder: "s" }),
  },
  examples: [
    "sluice deployment flow-control etl/daily",
    "sluice deployment flow-control etl/daily --key parameters.customer --limit 2 --strategy round-robin",
    "sluice deployment flow-control etl/daily --off",
    "sluice deployment flow-control etl/daily --on-lost retry",
  ],
  async run({ arguments: { deployment: which }, options, connection, output }) {
    const more = options.off && (["key", "limit", "strategy"] as const).find((name) => options[name] !== undefined);
    if (more) {
      throw new CliError(`--off takes the limit by key away, and --${more} sets it.`, { fix: "Give one of them." });
    }
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const { id } = await client.call(readDeploymentByName, { params: which });
    const before = await client.call(readFlowControl, { params: { id } });
    const { key, limit, strategy } = options;
    const isChanged = Object.values(options).some((option) => option !== undefined && option !== false);
    const { timeToLive, onLost } = options;
    const lost = onLost === undefined ? {} : { on_lost: onLost };
    const ttl = timeToLive === undefined ? {} : { time_to_live_seconds: timeToLive === 0 ? null : timeToLive };
    const isLimited = before.concurrency !== null || key !== undefined || limit !== undefined || strategy !== undefined;
    const concurrency =
      options.off || !isLimited
        ? null
        : {
            key: key ?? before.concurrency?.key ?? null,
            limit: limit ?? before.concurrency?.limit ?? 1,
            strategy: strategy ?? before.concurrency?.strategy ?? "queue",
          };
    const control = isChanged
      ? await client.call(writeFlowControl, { params: { id }, body: { ...before, concurrency, ...ttl, ...lost } })
      : before;
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
