/** What happens when a task is called or submitted: the run is made, and tracked by the flow it belongs to. */
import { clock } from "../configuration.ts";
import { TaskFuture } from "../future.ts";
import type { GeneratorCall } from "../returned.ts";
import { type RunState, runState } from "../states.ts";
import type { TaskDefinition } from "../task.ts";
import { Execution } from "./execution.ts";
import { generatorCall, isGeneratorFunction } from "./generators.ts";
import { type TaskCall, TaskRunner } from "./run-task.ts";
import { currentScope, type Scope } from "./scope.ts";

/** Runs a task here and now; one that yields when it is awaited or iterated. */
export function callTask(
  task: TaskDefinition,
  args: readonly unknown[],
  self: unknown,
): Promise<unknown> | GeneratorCall<unknown> {
  if (!isGeneratorFunction(task.run)) return running(task, args, { self, stream: null });
  const scope = openScope(`Task "${task.name}"`);
  return generatorCall((stream) => {
    if (stream !== null) scope.execution.openStream(stream);
    return running(task, args, { self, stream }, scope);
  });
}

async function running(
  task: TaskDefinition,
  args: readonly unknown[],
  call: TaskCall,
  scope: Scope = openScope(`Task "${task.name}"`),
): Promise<unknown> {
  const run = new TaskRunner(task, args, scope, call).run(task.slots === null ? [] : [task.slots]);
  // A call that nobody awaits must not end the process when it fails, once its flow has seen to it.
  scope.execution.track(run.then(ignore, ignore));
  return await run;
}

/** Runs a task here and now and answers its last state, however it ended. */
export async function stateOfTask(task: TaskDefinition, args: readonly unknown[]): Promise<RunState<unknown>> {
  const scope = openScope(`Task "${task.name}"`);
  const runner = new TaskRunner(task, args, scope, { self: undefined, stream: null });
  const run = runner.run(task.slots === null ? [] : [task.slots]);
  scope.execution.track(run.then(ignore, ignore));
  let result: () => unknown;
  try {
    const value = await run;
    result = () => value;
  } catch (error) {
    result = () => {
      throw error;
    };
  }
  if (runner.state === null) throw new Error(`Task "${task.name}" has no state.`);
  return runState(runner.state, result);
}

/** Starts a task beside others. */
export function submitTask(task: TaskDefinition, args: readonly unknown[]): TaskFuture<unknown> {
  const scope = openScope(`Task "${task.name}"`);
  const runner = new TaskRunner(task, args, scope, { self: undefined, stream: null });
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

/** The scope of the calling code, or a new one outside of runs. Throws after the end of the flow run. */
export function openScope(what: string): Scope {
  const scope = currentScope();
  if (scope?.execution.isOver) {
    throw new Error(`${what} was called after its flow run had ended. Await it before the flow returns.`);
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
