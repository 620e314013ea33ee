/** The door `sluice/blocks`: typed blocks. Slugs and fields are Prefect's, so both kinds of programs share blocks. */

export { opsgenieWebhook, pagerDutyWebhook, sendgridEmail, twilioSms } from "./alerts.ts";
export { secret, webhook } from "./built-in.ts";
export { discordWebhook, mattermostWebhook, slackWebhook, teamsWebhook } from "./chat.ts";
export {
  awsCredentials,
  bitbucketCredentials,
  dockerRegistryCredentials,
  githubCredentials,
  gitlabCredentials,
  minioCredentials,
  slackCredentials,
  snowflakeCredentials,
} from "./credentials.ts";
export { customWebhook } from "./custom-webhook.ts";
export { type Block, type BlockOptions, defineBlock, type SaveBlockOptions } from "./define-block.ts";
export { emailServerCredentials } from "./email.ts";
export type { Notifier } from "./notifier.ts";
export type { Mail } from "./smtp.ts";
export { githubRepository, localFileSystem, s3Bucket } from "./storage.ts";
