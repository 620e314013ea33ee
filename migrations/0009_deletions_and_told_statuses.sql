CREATE TABLE `deletions` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`created` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `told_statuses` (
	`id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`event_id` text NOT NULL,
	`since` real NOT NULL,
	`told` integer DEFAULT false NOT NULL
) WITHOUT ROWID;
