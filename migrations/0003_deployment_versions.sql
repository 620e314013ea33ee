CREATE TABLE `deployment_versions` (
	`deployment_id` text NOT NULL,
	`number` integer NOT NULL,
	`content` text NOT NULL,
	`created` real NOT NULL,
	PRIMARY KEY(`deployment_id`, `number`)
) WITHOUT ROWID;
