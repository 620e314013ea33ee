/** The door `sluice/worker`: a worker inside a program of one's own. Node only. */

export { CannotStartError } from "./cannot-start.ts";
export type { Infrastructure, RunningJob } from "./infrastructure.ts";
export { processInfrastructure } from "./process-infrastructure.ts";
export { Runner, type RunnerEvent, type RunnerOptions, type RunnerState } from "./runner.ts";
