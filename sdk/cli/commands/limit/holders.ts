/** `sluice limit holders`: who has the slots of a limit, and who waits for them. */
import { createClient } from "../../../client/api-client.ts";
import type { LimitOccupancy } from "../../../protocol/concurrency-limits.ts";
import { readConcurrencyLimitHolders } from "../../../protocol/concurrency-limits.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { nameOrIdArgument } from "../../name-or-id.ts";

/** A line of the table: somebody who has slots, or waits for them. */
interface Line {
  readonly what: string;
  /** Place in line, from 1; null for those who hold. */
  readonly position: number | null;
  readonly slots: number;
  readonly who: string | null;
  readonly since: string;
  readonly until: string | null;
}

export const limitHolders = defineCommand({
  noun: "limit",
  verb: "holders",
  summary: "Show who holds the slots of a concurrency limit, and who waits for them.",
  arguments: { limit: nameOrIdArgument("Name or id of the limit.") },
  options: {},
  examples: ["sluice limit holders database"],
  async run({ arguments: { limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const occupancy = await client.call(readConcurrencyLimitHolders, { params: { id_or_name: limit } });
    if (output.format === "json") {
      output.item(occupancy, []);
      return undefined;
    }
    output.list(
      linesOf(occupancy),
      [
        { title: "", value: (line) => line.what },
        { title: "PLACE", value: (line) => line.position },
        { title: "SLOTS", value: (line) => line.slots },
        { title: "WHO", value: (line) => line.who },
        { title: "SINCE", value: (line) => wholeSeconds(line.since) },
        { title: "UNTIL", value: (line) => wholeSeconds(line.until) },
      ],
      `Nobody holds slots of "${limit}", and nobody waits for them.`,
    );
    return undefined;
  },
});

function linesOf({ holders, waiters }: LimitOccupancy): Line[] {
  const who = (holder: { type: string; id: string } | null) => (holder === null ? null : `${holder.type} ${holder.id}`);
  return [
    ...holders.map(({ slots, holder, since, expires }) => ({
      what: "holds",
      position: null,
      slots,
      who: who(holder),
      since,
      until: expires,
    })),
    ...waiters.map(({ position, slots, holder, since, connected }) => ({
      what: connected ? "waits" : "comes back",
      position,
      slots,
      who: who(holder),
      since,
      until: null,
    })),
  ];
}
