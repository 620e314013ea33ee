/** `sluice flow-run logs`: the log lines of one run, also as they come. */
import { createClient } from "../../../client/api-client.ts";
import { readFlowRun } from "../../../protocol/flow-runs.ts";
import { defineCommand } from "../../command.ts";
import { flowRunIdArgument } from "../../flow-run-columns.ts";
import { followRun, LogReader } from "../../follow-run.ts";
import { choice, flag } from "../../parameters.ts";
import { logLine, stateLine } from "../../run-lines.ts";

const LEVELS = { debug: 10, info: 20, warn: 30, error: 40 } as const;

export const flowRunLogs = defineCommand({
  noun: "flow-run",
  verb: "logs",
  summary: "Print the log lines of a flow run.",
  arguments: { id: flowRunIdArgument() },
  options: {
    follow: flag("Go on until the run has ended.", { short: "f" }),
    level: choice("Leave out lines below this level.", ["debug", "info", "warn", "error"]),
  },
  examples: ["sluice flow-run logs 019ab5c2-… --follow"],
  async run({ arguments: { id }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const minLevel = options.level === undefined ? null : LEVELS[options.level];
    if (!options.follow) {
      await client.call(readFlowRun, { params: { id } });
      const logs = new LogReader(client, id, minLevel);
      for await (const log of logs.read()) output.event(log, logLine(log, logs.whoOf(log)));
      return undefined;
    }
    for await (const news of followRun(client, id, minLevel === null ? {} : { minLevel })) {
      if (news.kind === "log") output.event(news.log, logLine(news.log, news.who));
      else output.note(stateLine(news.run));
    }
    return undefined;
  },
});
