/** `sluice work-queue ls`: the queues of a work pool. */
import { createClient } from "../../../client/api-client.ts";
import { filterWorkQueues } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { poolArgument } from "../work-pool/pool-argument.ts";
import { WORK_QUEUE_COLUMNS } from "./columns.ts";

export const workQueueLs = defineCommand({
  noun: "work-queue",
  verb: "ls",
  summary: "List the queues of a work pool, in the order of their priority.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice work-queue ls local"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const queues = await client.call(filterWorkQueues, { params: { name }, body: {} }, { idempotent: true });
    output.list(queues, WORK_QUEUE_COLUMNS, "There are no queues.");
    return undefined;
  },
});
