CREATE TABLE `deployment_flow_controls` (
	`deployment_id` text PRIMARY KEY NOT NULL,
	`doc` text NOT NULL
) WITHOUT ROWID;
