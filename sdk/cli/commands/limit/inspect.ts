/** `sluice limit inspect`: one concurrency limit. */
import { createClient } from "../../../client/api-client.ts";
import { readConcurrencyLimitHolders, readConcurrencyLimitV2 } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";

export const limitInspect = defineCommand({
  noun: "limit",
  verb: "inspect",
  summary: "Show one concurrency limit.",
  arguments: { limit: nameOrIdArgument("Name or id of the limit.") },
  options: {},
  examples: ["sluice limit inspect database"],
  async run({ arguments: { limit: id_or_name }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const [limit, occupancy] = await Promise.all([
      client.call(readConcurrencyLimitV2, { params: { id_or_name } }),
      client.call(readConcurrencyLimitHolders, { params: { id_or_name } }),
    ]);
    output.item({ ...limit, ...occupancy }, [
      { title: "ID", value: (one) => one.id },
      { title: "Name", value: (one) => one.name },
      { title: "Limit", value: (one) => one.limit },
      { title: "In use", value: (one) => one.active_slots },
      { title: "Waiting", value: (one) => one.waiters.length },
      { title: "Per second", value: (one) => one.slot_decay_per_second || null },
      { title: "Held for", value: (one) => `${Math.round(one.avg_slot_occupancy_seconds * 10) / 10} s on average` },
      { title: "Active", value: (one) => (one.active ? "yes" : "no") },
      { title: "Updated", value: (one) => wholeSeconds(one.updated) },
    ]);
    return undefined;
  },
});
