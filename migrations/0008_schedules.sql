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