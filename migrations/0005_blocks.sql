CREATE TABLE `block_documents` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`block_type_id` text NOT NULL,
	`block_type_name` text NOT NULL,
	`block_schema_id` text NOT NULL,
	`is_anonymous` integer DEFAULT false NOT NULL,
	`shown` text NOT NULL,
	`secrets` text,
	`secrets_key_id` text,
	`nested` text DEFAULT '{}' NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `block_documents_name` ON `block_documents` (`block_type_id`,`name`);--> statement-breakpoint
CREATE INDEX `block_documents_key` ON `block_documents` (`secrets_key_id`) WHERE secrets_key_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `block_schemas` (
	`id` text PRIMARY KEY NOT NULL,
	`checksum` text NOT NULL,
	`version` text NOT NULL,
	`block_type_id` text NOT NULL,
	`fields` text NOT NULL,
	`nested` text DEFAULT '[]' NOT NULL,
	`capabilities` text DEFAULT '[]' NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `block_schemas_checksum` ON `block_schemas` (`checksum`,`version`);--> statement-breakpoint
CREATE INDEX `block_schemas_type` ON `block_schemas` (`block_type_id`);--> statement-breakpoint
CREATE TABLE `block_types` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slug` text NOT NULL,
	`logo_url` text,
	`documentation_url` text,
	`description` text,
	`code_example` text,
	`is_protected` integer DEFAULT false NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `block_types_slug_unique` ON `block_types` (`slug`);