/** The door `sluice`: what a file with flows and tasks imports. */

export { ApiUnreachableError } from "./client/errors.ts";
export { artifacts, type ProgressArtifact, type TableRow } from "./flow/artifacts.ts";
export { allowFailure, asCompleted } from "./flow/as-completed.ts";
export { type Asset, type AssetOrKey, type AssetProperties, addAssetMetadata, asset } from "./flow/assets.ts";
export { DelayedRun, type WaitOptions } from "./flow/background/delayed-run.ts";
export { type ServeTasksOptions, serveTasks } from "./flow/background/serve-tasks.ts";
export { exponentialBackoff, type RetryDelay, type RetryDelayFunction } from "./flow/backoff.ts";
export type { Clock } from "./flow/clock.ts";
export { configure, type LogLevel, type RunLogs, type Settings } from "./flow/configuration.ts";
export {
  type FlowAncestry,
  type FlowContext,
  flowContext,
  type RunDeployment,
  type TaskContext,
  taskContext,
} from "./flow/context.ts";
export { type PauseOptions, pauseFlowRun, resumeFlowRun, suspendFlowRun } from "./flow/control/pause.ts";
export { type ReceivedInput, type ReceiveInputOptions, receiveInput, sendInput } from "./flow/control/run-inputs.ts";
export { sleep } from "./flow/control/sleep.ts";
export { type DeployAllOptions, deploy } from "./flow/deploy/deploy.ts";
export type {
  DeploymentOptions,
  DeploymentPlace,
  DeployOptions,
  OwnLimit,
  PlannedDeployment,
  PlanOptions,
  SharedLimit,
} from "./flow/deploy/deployment.ts";
export type { SourcedFlow, SourcedFlowOptions } from "./flow/deploy/flow-from.ts";
export { type GitSourceOptions, gitSource, type Source } from "./flow/deploy/git-source.ts";
export {
  type RunDeploymentOptions,
  runDeployment,
  type WaitForFlowRunOptions,
  waitForFlowRun,
} from "./flow/deploy/run-deployment.ts";
export type { Moment, ScheduleOptions, Timing } from "./flow/deploy/schedules.ts";
export { type ServeOptions, serve } from "./flow/deploy/serve.ts";
export type { Duration } from "./flow/duration.ts";
export { type EmittedEvent, emitEvent } from "./flow/emit-event.ts";
export {
  FlowRunRefusedError,
  FlowRunStoppedError,
  NonRetryableError,
  TimedOutError,
  UpstreamFailedError,
} from "./flow/errors.ts";
export {
  type AnyFlow,
  type Flow,
  type FlowOptions,
  type FlowOptionsWithParameters,
  flow,
  isFlow,
  type NoParameters,
} from "./flow/flow.ts";
export { type FlowControlOptions, type RunKey, setFlowControl } from "./flow/flow-control.ts";
export type { OrFuture, OrFutures, TaskFuture, TaskFutures } from "./flow/future.ts";
export type { Hook, Hooks } from "./flow/hooks.ts";
export {
  type ConcurrencyOptions,
  concurrency,
  type HeldSlots,
  rateLimit,
  type SlotOptions,
  type SlotsInUse,
  SlotsLostError,
} from "./flow/limits.ts";
export { flushLogs, type LogFields, type Logger, logger } from "./flow/logger.ts";
export { type MaterializeOptions, materialize } from "./flow/materialize.ts";
export {
  type CacheContext,
  CachePolicy,
  cacheKey,
  FLOW_PARAMETERS,
  INPUTS,
  NO_CACHE,
  RUN_ID,
  TASK_SOURCE,
} from "./flow/results/cache-policy.ts";
export { controlPlaneStorage } from "./flow/results/control-plane-storage.ts";
export { type FolderLocksOptions, folderLocks } from "./flow/results/folder-locks.ts";
export { NotSerialisableError } from "./flow/results/json-values.ts";
export { type LocalFolderOptions, localFolder } from "./flow/results/local-folder.ts";
export { type LockManager, limitLocks, memoryLocks } from "./flow/results/locks.ts";
export {
  type R2BucketLike,
  r2Storage,
  type S3StorageOptions,
  s3BlockStorage,
  s3Storage,
} from "./flow/results/s3-storage.ts";
export { compressed, encrypted, jsonSerializer, type Serializer } from "./flow/results/serializer.ts";
export type { ResultSettings } from "./flow/results/settings.ts";
export { memoryStorage, type ResultStorage } from "./flow/results/storage.ts";
export type { GeneratorCall } from "./flow/returned.ts";
export { ParameterError, type StandardSchema } from "./flow/standard-schema.ts";
export {
  Cancelled,
  CancelledRunError,
  Completed,
  CrashedRunError,
  type EndState,
  type EndStateOptions,
  Failed,
  FailedRunError,
  type RunState,
} from "./flow/states.ts";
export { S3Error } from "./flow/storage/s3-error.ts";
export { tags } from "./flow/tags.ts";
export { type AnyTask, type CacheOptions, isTask, type Task, type TaskOptions, task } from "./flow/task.ts";
export { type CommitMode, type Transaction, type TransactionOptions, transaction } from "./flow/transaction.ts";
export { variables } from "./flow/variables.ts";
export { all, type ResultsOf, type Waited, wait } from "./flow/wait.ts";
export type { Artifact } from "./protocol/artifacts.ts";
export { SluiceError } from "./protocol/errors.ts";
export { isTerminal, type State, type StateType } from "./protocol/states.ts";
