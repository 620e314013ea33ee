CREATE TABLE `deletions` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`created` real NOT NULL
) WITHOUT ROWID;
