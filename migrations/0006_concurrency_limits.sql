CREATE TABLE `concurrency_limits` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slot_limit` integer NOT NULL,
	`active` integer DEFAULT true NOT NULL,
	`slot_decay_per_second` real DEFAULT 0 NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `concurrency_limits_name_unique` ON `concurrency_limits` (`name`);