/** `sluice key create`: makes an API key and shows it, once. */
import { createClient } from "../../../client/api-client.ts";
import { parseDuration } from "../../../flow/duration.ts";
import { type ApiKeyWithSecret, createKey, KEY_ROLES, readSession } from "../../../protocol/access.ts";
import { type EpochMs, toWireTime } from "../../../protocol/time.ts";
import { defineCommand } from "../../command.ts";
import { choice, parsed, required, text } from "../../parameters.ts";
import { KEY_COLUMNS } from "./columns.ts";

export const keyCreate = defineCommand({
  noun: "key",
  verb: "create",
  summary: "Make an API key. It is shown once.",
  arguments: { name: required(text("Name of the key: who or what uses it.", { placeholder: "name" })) },
  options: {
    role: required(choice("What it may do; each role may do what those before it may.", KEY_ROLES, { short: "r" })),
    expires: parsed("How long it is valid, such as 12h or 30d. Default: until it is revoked.", readSpan, {
      placeholder: "duration",
    }),
  },
  examples: ["sluice key create build-worker --role worker", "sluice key create ci --role operator --expires 30d"],
  async run({ arguments: { name }, options, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const expires = options.expires === undefined ? null : toWireTime((Date.now() + options.expires) as EpochMs);
    const made = await client.call(createKey, { body: { name, role: options.role, expires } });
    output.item<ApiKeyWithSecret>(made, [{ title: "KEY", value: (key) => key.key }, ...KEY_COLUMNS]);
    output.note(
      "\nThe key is not shown again. Programs take it from SLUICE_API_KEY; Python from PREFECT_API_AUTH_STRING.",
    );
    const { open } = await client.call(readSession);
    if (open) output.note("This server is open: until it is started with SLUICE_ROOT_KEY, nobody needs a key.");
    return undefined;
  },
});

function readSpan(given: string): number {
  let spanMs: number;
  try {
    spanMs = parseDuration(given, "");
  } catch (cause) {
    throw new Error('not a number with a unit, such as "12h" or "30d"', { cause });
  }
  if (spanMs === 0) throw new Error("no time at all");
  return spanMs;
}
