/** `sluice dead-letter ls`: messages between parts of the control plane that were given up. */
import { createClient } from "../../../client/api-client.ts";
import { filterDeadLetters } from "../../../protocol/dead-letters.ts";
import { defineCommand } from "../../command.ts";
import { wholeSeconds } from "../../flow-run-columns.ts";
import { choice, integer, withDefault } from "../../parameters.ts";

export const deadLetterLs = defineCommand({
  noun: "dead-letter",
  verb: "ls",
  summary: "List messages that were given up, the latest first.",
  arguments: {},
  options: {
    queue: choice("Only messages of this queue.", ["dispatch", "pushes", "events", "actions"]),
    limit: withDefault(integer("How many at most.", { min: 1, max: 200 }), 50),
  },
  examples: ["sluice dead-letter ls", "sluice dead-letter ls --queue dispatch"],
  async run({ options: { queue, limit }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const letters = await client.call(filterDeadLetters, { body: { queue: queue ?? null, limit } });
    output.list(
      letters,
      [
        { title: "ID", value: (letter) => letter.id },
        { title: "QUEUE", value: (letter) => letter.queue },
        { title: "SENT", value: (letter) => wholeSeconds(letter.created) },
        { title: "ATTEMPTS", value: (letter) => letter.attempts },
        { title: "MESSAGE", value: (letter) => JSON.stringify(letter.body) },
      ],
      "No message was given up.",
    );
    return undefined;
  },
});
