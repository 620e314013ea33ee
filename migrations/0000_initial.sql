CREATE TABLE `artifacts` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text,
	`type` text,
	`description` text,
	`data` text,
	`metadata` text,
	`flow_run_id` text,
	`task_run_id` text,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `artifacts_key` ON `artifacts` (`key`,`id`) WHERE key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `artifacts_flow_run` ON `artifacts` (`flow_run_id`) WHERE flow_run_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`id` text PRIMARY KEY NOT NULL,
	`queue` text NOT NULL,
	`body` text NOT NULL,
	`attempts` integer NOT NULL,
	`created` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `deployment_schedules` (
	`id` text PRIMARY KEY NOT NULL,
	`deployment_id` text NOT NULL,
	`slug` text,
	`active` integer DEFAULT true NOT NULL,
	`schedule` text NOT NULL,
	`parameters` text DEFAULT '{}' NOT NULL,
	`max_scheduled_runs` integer,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `deployment_schedules_slug` ON `deployment_schedules` (`deployment_id`,`slug`);--> statement-breakpoint
CREATE TABLE `deployments` (
	`id` text PRIMARY KEY NOT NULL,
	`flow_id` text NOT NULL,
	`name` text NOT NULL,
	`work_pool_id` text,
	`work_queue_id` text,
	`paused` integer DEFAULT false NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`doc` text NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `deployments_flow_name` ON `deployments` (`flow_id`,`name`);--> statement-breakpoint
CREATE INDEX `deployments_pool` ON `deployments` (`work_pool_id`);--> statement-breakpoint
CREATE TABLE `flow_run_keys` (
	`flow_id` text NOT NULL,
	`key` text NOT NULL,
	`flow_run_id` text NOT NULL,
	PRIMARY KEY(`flow_id`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `flow_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`flow_id` text NOT NULL,
	`deployment_id` text,
	`work_pool_id` text,
	`parent_task_run_id` text,
	`name` text NOT NULL,
	`state_type` text,
	`state_name` text,
	`expected_start_time` real,
	`next_scheduled_start_time` real,
	`start_time` real,
	`end_time` real,
	`tags` text DEFAULT '[]' NOT NULL,
	`dormant` integer DEFAULT 0 NOT NULL,
	`doc` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `flow_runs_flow` ON `flow_runs` (`flow_id`);--> statement-breakpoint
CREATE INDEX `flow_runs_deployment` ON `flow_runs` (`deployment_id`) WHERE deployment_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `flow_runs_parent` ON `flow_runs` (`parent_task_run_id`) WHERE parent_task_run_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `flow_runs_state` ON `flow_runs` (`state_type`,`id`);--> statement-breakpoint
CREATE INDEX `flow_runs_start` ON `flow_runs` (`start_time`) WHERE start_time IS NOT NULL;--> statement-breakpoint
CREATE TABLE `task_runs` (
	`flow_run_id` text DEFAULT '' NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`name` text NOT NULL,
	`task_key` text NOT NULL,
	`dynamic_key` text NOT NULL,
	`state_type` text,
	`state_name` text,
	`expected_start_time` real,
	`start_time` real,
	`end_time` real,
	`tags` text DEFAULT '[]' NOT NULL,
	`doc` text NOT NULL,
	PRIMARY KEY(`flow_run_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `task_runs_id` ON `task_runs` (`id`);--> statement-breakpoint
CREATE TABLE `flows` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`labels` text DEFAULT '{}' NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `flows_name_unique` ON `flows` (`name`);--> statement-breakpoint
CREATE TABLE `work_pools` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`description` text,
	`is_paused` integer DEFAULT false NOT NULL,
	`concurrency_limit` integer,
	`default_queue_id` text NOT NULL,
	`base_job_template` text DEFAULT '{}' NOT NULL,
	`storage_configuration` text DEFAULT '{}' NOT NULL,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `work_pools_name_unique` ON `work_pools` (`name`);--> statement-breakpoint
CREATE TABLE `work_queues` (
	`id` text PRIMARY KEY NOT NULL,
	`work_pool_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`priority` integer DEFAULT 1 NOT NULL,
	`is_paused` integer DEFAULT false NOT NULL,
	`concurrency_limit` integer,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `work_queues_name` ON `work_queues` (`work_pool_id`,`name`);--> statement-breakpoint
CREATE TABLE `workers` (
	`id` text PRIMARY KEY NOT NULL,
	`work_pool_id` text NOT NULL,
	`name` text NOT NULL,
	`type` text,
	`status` text NOT NULL,
	`last_heartbeat_time` real,
	`heartbeat_interval_seconds` integer,
	`created` real NOT NULL,
	`updated` real NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `workers_name` ON `workers` (`work_pool_id`,`name`);