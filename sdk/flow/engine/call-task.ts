/** What happens when a task is called or submitted: the run is made, and tracked by the flow it belongs to. */
import type { State } from "../../protocol/states.ts";
import { clock } from "../configuration.ts";
import { TaskFuture } from "../future.ts";
import type { TaskDefinition } from "../task.ts";
import { Execution } from "./execution.ts";
import { TaskRunner } from "./run-task.ts";
import { currentScope, type Scope } from "./scope.ts";

/** Runs a task here and now. */
export async function callTask(task: TaskDefinition, args: readonly unknown[]): Promise<unknown> {
  const scope = openScope(task);
  const run = new TaskRunner(task, args, scope).run(task.slots === null ? [] : [task.slots]);
  // A call that nobody awaits must not end the process when it fails, once its flow has seen to it.
  scope.execution.track(run.then(ignore, ignore));
  return await run;
}

/** Runs a task here and now and answers its last state, however it ended. */
export async function stateOfTask(task: TaskDefinition, args: readonly unknown[]): Promise<State | null> {
  const scope = openScope(task);
  const runner = new TaskRunner(task, args, scope);
  const ended = runner.run(task.slots === null ? [] : [task.slots]).then(ignore, ignore);
  scope.execution.track(ended);
  await ended;
  return runner.state;
}

/** Starts a task beside others. */
export function submitTask(task: TaskDefinition, args: readonly unknown[]): TaskFuture<unknown> {
  const scope = openScope(task);
  const runner = new TaskRunner(task, args, scope);
  // A task that waits for its own sub-tasks must not hold the slot that they wait for.
  const slots = [task.slots, scope.task === null ? scope.execution.slots : null].filter((one) => one !== null);
  const settled = runner.run(slots);
  scope.execution.track(settled);
  return new TaskFuture({
    taskRunId: runner.identity.id,
    name: runner.name,
    settled,
    state: () => runner.state,
  });
}

function openScope(task: TaskDefinition): Scope {
  const scope = currentScope();
  if (scope?.execution.isOver) {
    throw new Error(`Task "${task.name}" was called after its flow run had ended. Await it before the flow returns.`);
  }
  if (scope) return scope;
  const execution = new Execution({
    session: null,
    clock: clock(),
    captureConsole: false,
    concurrency: Infinity,
    remembersTasks: false,
    memory: null,
  });
  return { execution, flow: null, task: null };
}

function ignore(): void {}
