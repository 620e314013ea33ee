import type { TaskRunPolicy } from "#protocol/task-runs";

/** Seconds before the retry that follows the attempt `runCount`; the last entry of a list holds for all later ones. */
export function retryDelaySeconds(policy: TaskRunPolicy, runCount: number): number {
  const delay = policy.retry_delay ?? policy.retry_delay_seconds;
  if (typeof delay === "number") return delay;
  return delay[Math.min(Math.max(runCount, 1), delay.length) - 1] ?? 0;
}
