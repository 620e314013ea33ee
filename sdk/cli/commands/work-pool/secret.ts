/** `sluice work-pool secret`: changes what the pushes of an http pool are signed with. */
import { createClient } from "../../../client/api-client.ts";
import { writePushSecrets } from "../../../protocol/push.ts";
import { defineCommand } from "../../command.ts";
import { repeated, required, text } from "../../parameters.ts";

export const workPoolSecret = defineCommand({
  noun: "work-pool",
  verb: "secret",
  summary: "Change what the pushes of an http pool are signed with.",
  arguments: { name: required(text("Name of the pool.", { placeholder: "name" })) },
  options: {
    secret: repeated(
      text("24 bytes or more in base64; the new one first, then the one it replaces. Default: one is made and shown."),
    ),
  },
  examples: ["sluice work-pool secret edge", "sluice work-pool secret edge --secret NEW --secret OLD"],
  async run({ arguments: { name }, options: { secret }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const body = secret.length === 0 ? {} : { secrets: [...secret] };
    const written = await client.call(writePushSecrets, { params: { name }, body });
    output.item({ name, ...written }, [
      { title: "WORK POOL", value: (one) => one.name },
      { title: "SECRETS", value: (one) => String(one.secrets) },
      { title: "SECRET", value: (one) => one.secret ?? "as given" },
    ]);
    return undefined;
  },
});
