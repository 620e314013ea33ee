CREATE TABLE `backfills` (
	`id` text PRIMARY KEY NOT NULL,
	`deployment_id` text NOT NULL,
	`schedule_id` text NOT NULL,
	`status` text NOT NULL,
	`made_until` real,
	`made` integer DEFAULT 0 NOT NULL,
	`doc` text NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `schedule_policies` (
	`schedule_id` text PRIMARY KEY NOT NULL,
	`deployment_id` text NOT NULL,
	`policy` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `schedule_progress` (
	`schedule_id` text PRIMARY KEY NOT NULL,
	`deployment_id` text NOT NULL,
	`next_check_at` real NOT NULL,
	`last_due_at` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `flow_runs_dormant` ON `flow_runs` (`next_scheduled_start_time`) WHERE dormant = 1;