/** What a job of type "ecs" is, read from the configuration that the pool's template gives. */
import type { RunTicket } from "../../protocol/worker-channel.ts";
import { directoryIn, wordsOf } from "../container/container-program.ts";
import { environmentOf } from "../process-job.ts";
import { type Json, number, object, text } from "../template/fields.ts";
import type { JobConfiguration } from "../template/job-configuration.ts";

export interface EcsJob {
  /** Of the template, filled; without effect where there is an `arn`. */
  readonly definition: Json;
  /** A task definition that is there already; null to register one. */
  readonly arn: string | null;
  /** What `RunTask` is asked for, as the template has it. */
  readonly request: Json;
  readonly cluster: string | null;
  readonly command: readonly string[] | null;
  readonly workingDirectory: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** Tags of the task. */
  readonly labels: Readonly<Record<string, string>>;
  readonly containerName: string | null;
  /** As "awsvpcConfiguration" has it. */
  readonly network: Json | null;
  /** Whose subnets are used where no network is given; null for the account's default one. */
  readonly vpcId: string | null;
  readonly logs: LogOptions | null;
  readonly streamOutput: boolean;
  readonly startTimeoutMs: number;
  readonly pollIntervalMs: number;
  readonly deregisters: boolean;
  /** Whether the newest revision of the family is used when it is the same. */
  readonly matchesLatest: boolean;
  /** Data of the block aws-credentials; null for what the worker finds around itself. */
  readonly credentials: Json | null;
}

export interface LogOptions {
  readonly prefix: string;
  /** Beside, and before, those that are made here. */
  readonly options: Readonly<Record<string, string>>;
}

const START_TIMEOUT_S = 300;
const POLL_INTERVAL_S = 5;

/** Throws `CannotStartError` for a configuration that is not one of a task. */
export function ecsJob(configuration: JobConfiguration, ticket: RunTicket): EcsJob {
  const command = text(configuration, "command");
  const definition = object(configuration["task_definition"]) ?? {};
  const request = object(configuration["task_run_request"]) ?? {};
  const streamOutput = configuration["stream_output"] === true;
  const hasLogs = configuration["configure_cloudwatch_logs"] === true || streamOutput;
  const prefix = text(configuration, "cloudwatch_logs_prefix") ?? `sluice_${ticket.deployment_id ?? "runs"}`;
  const options = environmentOf(configuration["cloudwatch_logs_options"]);
  const network = object(configuration["network_configuration"]);
  return {
    definition,
    arn: text(request, "taskDefinition"),
    request,
    cluster: text(configuration, "cluster") ?? text(request, "cluster"),
    command: command === null ? null : wordsOf(command),
    workingDirectory: directoryIn(ticket),
    env: environmentOf(configuration["env"]),
    labels: environmentOf(configuration["labels"]),
    containerName: text(configuration, "container_name"),
    network: network === null ? null : (object(network["awsvpcConfiguration"]) ?? network),
    vpcId: text(configuration, "vpc_id"),
    logs: hasLogs ? { prefix, options } : null,
    streamOutput,
    startTimeoutMs: (number(configuration, "task_start_timeout_seconds") ?? START_TIMEOUT_S) * 1_000,
    pollIntervalMs: (number(configuration, "task_watch_poll_interval") ?? POLL_INTERVAL_S) * 1_000,
    deregisters: configuration["auto_deregister_task_definition"] === true,
    matchesLatest: configuration["match_latest_revision_in_family"] === true,
    credentials: object(configuration["aws_credentials"]),
  };
}
