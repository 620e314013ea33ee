CREATE TABLE `push_secrets` (
	`work_pool_id` text PRIMARY KEY NOT NULL,
	`secrets` text NOT NULL,
	`secrets_key_id` text NOT NULL,
	`secrets_count` integer NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
