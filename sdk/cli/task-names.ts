/** What task runs are called: a log line knows its task run by id only. */
import type { ApiClient } from "../client/api-client.ts";
import type { TaskRunId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Log } from "../protocol/logs.ts";
import { filterTaskRuns } from "../protocol/task-runs.ts";

export class TaskNames {
  readonly #client: ApiClient;
  readonly #names = new Map<TaskRunId, string>();

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Looks up those of a page of lines. One that is not listed yet is looked up with the next lines. */
  async learn(logs: readonly Log[], signal?: AbortSignal): Promise<void> {
    const unknown = [...new Set(logs.map((log) => log.task_run_id))].filter(
      (id) => id !== null && id !== undefined && !this.#names.has(id),
    );
    if (unknown.length === 0) return;
    const body = { task_runs: { id: { any_: unknown as TaskRunId[] } }, limit: LIMITS.pageRows };
    const found = await this.#client.call(
      filterTaskRuns,
      { body },
      { idempotent: true, ...(signal ? { signal } : {}) },
    );
    for (const { id, name } of found) this.#names.set(id, name);
  }

  /** The task run that wrote the line, or else the name of its logger. */
  of(log: Log): string {
    return this.#names.get(log.task_run_id as TaskRunId) ?? log.name;
  }
}
