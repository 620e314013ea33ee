DROP INDEX `flow_runs_state`;--> statement-breakpoint
ALTER TABLE `flow_runs` ADD `total_run_time` real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `flow_runs` ADD `state_timestamp` real;--> statement-breakpoint
UPDATE `flow_runs` SET `total_run_time` = coalesce(`doc` ->> '$.total_run_time', 0),
  `state_timestamp` = (julianday(`doc` ->> '$.state.timestamp') - 2440587.5) * 86400000.0;--> statement-breakpoint
CREATE INDEX `flow_runs_state` ON `flow_runs` (`state_type`,`id`,`state_name`,`expected_start_time`,`start_time`,`total_run_time`,`state_timestamp`);