/** `sluice work-pool create`: makes a pool that workers can take runs from. */
import { createClient } from "../../../client/api-client.ts";
import { createWorkPool } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { integer, required, text, withDefault } from "../../parameters.ts";
import { WORK_POOL_COLUMNS } from "./columns.ts";

export const workPoolCreate = defineCommand({
  noun: "work-pool",
  verb: "create",
  summary: "Create a work pool.",
  arguments: { name: required(text("Name of the pool.", { placeholder: "name" })) },
  options: {
    type: withDefault(text("Kind of worker that serves it.", { placeholder: "type", short: "t" }), "process"),
    concurrencyLimit: integer("Runs of the pool at the same time. Default: no limit.", { min: 0 }),
    description: text("What the pool is for."),
  },
  examples: ["sluice work-pool create local", "sluice work-pool create gpu --concurrency-limit 2"],
  async run({ arguments: { name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const pool = await client.call(createWorkPool, {
      body: {
        name,
        type: options.type,
        concurrency_limit: options.concurrencyLimit ?? null,
        description: options.description ?? null,
      },
    });
    output.item(pool, WORK_POOL_COLUMNS);
    output.note(`\nStart a worker for it with: sluice worker start --pool ${name}`);
    return undefined;
  },
});
