import type { TaskRun } from "#protocol/task-runs";

/** Ids of the task runs whose results a task run took, each once. */
export function sourcesOf({ id, task_inputs }: Pick<TaskRun, "id" | "task_inputs">): readonly string[] {
  const ids = Object.values(task_inputs)
    .flat()
    .flatMap((input) => (input.input_type === "task_run" && typeof input["id"] === "string" ? [input["id"]] : []));
  return [...new Set(ids)].filter((source) => source !== id);
}
