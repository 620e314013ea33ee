/** `sluice webhook resend`: takes a delivery as if it had come again. */
import { createClient } from "../../../client/api-client.ts";
import { resendWebhookDelivery } from "../../../protocol/webhooks.ts";
import { defineCommand } from "../../command.ts";
import { required, uuid } from "../../parameters.ts";
import { slugArgument } from "./fields.ts";

export const webhookResend = defineCommand({
  noun: "webhook",
  verb: "resend",
  summary: "Take a delivery as if it had come again.",
  arguments: {
    slug: slugArgument(),
    id: required(uuid("Id of the delivery, as `sluice webhook deliveries` prints it.", "sluice webhook deliveries")),
  },
  options: {},
  examples: ["sluice webhook resend github-pushes 019ab5c2-…"],
  async run({ arguments: { slug, id }, connection, output }) {
    const client = createClient({ url: connection.apiUrl, key: connection.apiKey ?? null });
    const accepted = await client.call(resendWebhookDelivery, { params: { slug, id } });
    output.event({ event: "resent", ...accepted }, `The run ${accepted.flow_run_id} was started.`);
    return undefined;
  },
});
