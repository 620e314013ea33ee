DROP INDEX `flow_runs_start`;--> statement-breakpoint
ALTER TABLE `flow_runs` ADD `starts_at` real GENERATED ALWAYS AS (coalesce(start_time, expected_start_time)) VIRTUAL;--> statement-breakpoint
CREATE INDEX `flow_runs_starts_at` ON `flow_runs` (`starts_at`);