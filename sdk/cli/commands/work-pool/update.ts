/** `sluice work-pool update`. */
import { createClient } from "../../../client/api-client.ts";
import { readWorkPool, updateWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { text } from "../../parameters.ts";
import { limitChange, runLimit } from "../../run-limit.ts";
import { WORK_POOL_COLUMNS } from "./columns.ts";
import { readTemplate, templateOption } from "./job-template.ts";
import { poolArgument } from "./pool-argument.ts";

export const workPoolUpdate = defineCommand({
  noun: "work-pool",
  verb: "update",
  summary: "Change a work pool. Runs above a lowered limit run to their end.",
  arguments: { pool: poolArgument() },
  options: {
    concurrencyLimit: runLimit("Runs of the pool at the same time."),
    description: text("What the pool is for."),
    baseJobTemplate: templateOption(),
  },
  examples: [
    "sluice work-pool update gpu --concurrency-limit 4",
    "sluice work-pool update gpu --concurrency-limit none",
    "sluice work-pool update gpu --base-job-template template.json",
  ],
  async run({ arguments: { pool: name }, options, connection, output }) {
    const { baseJobTemplate: from } = options;
    const template = from === undefined ? {} : { base_job_template: await readTemplate(from) };
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    await client.call(updateWorkPool, {
      params: { name },
      body: {
        ...limitChange(options.concurrencyLimit),
        ...(options.description === undefined ? {} : { description: options.description }),
        ...template,
      },
    });
    output.item(await client.call(readWorkPool, { params: { name } }), WORK_POOL_COLUMNS);
    return undefined;
  },
});
