/** `sluice worker ls`: the workers of a pool. */
import { createClient } from "../../../client/api-client.ts";
import { filterWorkers } from "../../../protocol/work-pools.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { poolArgument } from "../work-pool/pool-argument.ts";

export const workerLs = defineCommand({
  noun: "worker",
  verb: "ls",
  summary: "List the workers of a work pool, those that are offline among them.",
  arguments: { pool: poolArgument() },
  options: {},
  examples: ["sluice worker ls local"],
  async run({ arguments: { pool: name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const workers = await client.call(filterWorkers, { params: { name }, body: {} }, { idempotent: true });
    output.list(
      workers,
      [
        { title: "NAME", value: (worker) => worker.name },
        { title: "STATUS", value: (worker) => worker.status },
        {
          title: "LAST SEEN",
          value: (worker) => worker.last_heartbeat_time && wholeSeconds(worker.last_heartbeat_time),
        },
        { title: "ID", value: (worker) => worker.id },
      ],
      `No worker has come yet. Start one with: sluice worker start --pool ${name}`,
    );
    return undefined;
  },
});
