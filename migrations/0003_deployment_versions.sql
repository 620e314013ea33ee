CREATE TABLE `deployment_versions` (
	`deployment_id` text NOT NULL,
	`number` integer NOT NULL,
	`content` text NOT NULL,
	`created` real NOT NULL,
	PRIMARY KEY(`deployment_id`, `number`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `deployments` ADD `last_polled` real;--> statement-breakpoint
ALTER TABLE `work_queues` ADD `last_polled` real;