CREATE TABLE `task_run_keys` (
	`task_key` text NOT NULL,
	`dynamic_key` text NOT NULL,
	`task_run_id` text NOT NULL,
	PRIMARY KEY(`task_key`, `dynamic_key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `task_run_state_cache` (
	`cache_key` text PRIMARY KEY NOT NULL,
	`task_run_id` text,
	`completed_at` real NOT NULL,
	`expires_at` real,
	`state` text NOT NULL
) WITHOUT ROWID;
