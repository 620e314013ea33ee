/** The door `sluice/blocks`: typed blocks. */

export {
  awsCredentials,
  discordWebhook,
  pagerDutyWebhook,
  secret,
  slackWebhook,
  teamsWebhook,
  webhook,
} from "./built-in.ts";
export { type Block, type BlockOptions, defineBlock } from "./define-block.ts";
