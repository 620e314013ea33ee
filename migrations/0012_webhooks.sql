CREATE TABLE `webhook_deliveries` (
	`webhook_id` text NOT NULL,
	`is_verified` integer NOT NULL,
	`id` text NOT NULL,
	`created` real NOT NULL,
	`doc` text NOT NULL,
	`body` text,
	PRIMARY KEY(`webhook_id`, `is_verified`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `webhooks` (
	`slug` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`deployment_id` text NOT NULL,
	`active` integer NOT NULL,
	`doc` text NOT NULL,
	`secrets` text,
	`secrets_key_id` text,
	`secrets_count` integer NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
