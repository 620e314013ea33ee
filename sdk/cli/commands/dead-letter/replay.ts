/** `sluice dead-letter replay`: sends a message that was given up again. */
import { createClient } from "../../../client/api-client.ts";
import { replayDeadLetter } from "../../../protocol/dead-letters.ts";
import { defineCommand } from "../../command.ts";
import { required, text } from "../../parameters.ts";

export const deadLetterReplay = defineCommand({
  noun: "dead-letter",
  verb: "replay",
  summary: "Send a message that was given up to its queue again.",
  arguments: { id: required(text("Id of the letter, as `sluice dead-letter ls` prints it.", { placeholder: "id" })) },
  options: {},
  examples: ["sluice dead-letter replay 7f3c…"],
  async run({ arguments: { id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const letter = await client.call(replayDeadLetter, { params: { id } });
    output.event({ event: "replayed", ...letter }, `The message was sent to queue "${letter.queue}" again.`);
    return undefined;
  },
});
