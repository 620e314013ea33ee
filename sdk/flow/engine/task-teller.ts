/** What a task run tells of itself beside its states: a span, lines of its start and end, events of its assets. */
import type { State } from "../../protocol/states.ts";
import type { TaskInput } from "../../protocol/task-runs.ts";
import type { EpochMs } from "../../protocol/time.ts";
import type { TaskContext } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { emitEvents } from "../emit-event.ts";
import { errorMessage, errorStack } from "../errors.ts";
import type { TaskDefinition } from "../task.ts";
import { TaskRunAssets } from "./asset-lineage.ts";
import { isLogged } from "./echo.ts";
import type { TaskIdentity } from "./execution.ts";
import { namedArguments } from "./inputs.ts";
import { endLine, runLines, startLine } from "./run-lines.ts";
import { inScope, type Scope } from "./scope.ts";
import { isTraced, type RunSpan, startSpan } from "./tracing.ts";

const NO_ASSETS = { makes: [], by: null, dependsOn: [] } as const;

/** The task run that is told of. */
export interface ToldRun {
  readonly task: TaskDefinition;
  readonly scope: Scope;
  readonly identity: TaskIdentity;
  readonly name: string;
  readonly inputs: Record<string, TaskInput[]>;
}

export class TaskTeller {
  readonly #run: ToldRun;
  /** Null where no tracer is configured. */
  #span: RunSpan | null = null;
  /** Null for a task run that has to do with none. */
  #assets: TaskRunAssets | null = null;
  #startedAt: EpochMs | null = null;

  constructor(run: ToldRun) {
    this.#run = run;
  }

  get span(): RunSpan | null {
    return this.#span;
  }

  /** Null, at once, where no tracer is configured: nothing is to be waited for. */
  begin(args: readonly unknown[]): Promise<void> | null {
    if (!isTraced()) return null;
    const { task, scope, identity, name } = this.#run;
    const parameters = namedArguments(args, task.shape.names);
    const run = { type: "task", id: identity.id, name, tags: task.tags, parameters, labels: {} } as const;
    const starting = startSpan(run, scope.span ?? null);
    if (starting === null) return null;
    return starting.then((span) => {
      this.#span = span;
    });
  }

  /** Where the code of an attempt runs. */
  within(context: TaskContext): Scope {
    const own = {
      ...(this.#span === null ? {} : { span: this.#span }),
      ...(this.#assets === null ? {} : { assets: this.#assets }),
    };
    return { ...this.#run.scope, task: context, ...own };
  }

  beginAssets(args: readonly unknown[]): void {
    const { task, scope, identity, inputs } = this.#run;
    const { lineage, session } = scope.execution;
    const said = task.assets;
    if (said === null && lineage.isEmpty) return;
    // Tasks outside of any flow hand nothing on.
    const followed = session === null ? null : lineage;
    this.#assets = TaskRunAssets.begin(said ?? NO_ASSETS, followed, identity.id, inputs, args);
  }

  started(args: readonly unknown[], context: TaskContext): void {
    const { task, scope } = this.#run;
    this.#startedAt ??= scope.execution.clock.now();
    const lines = runLines(task.logValues);
    const level = lines?.hasValues ? "info" : "debug";
    if (lines === null || !isLogged(level)) return;
    const inputs = namedArguments(args, task.shape.names);
    scope.execution.log(level, startLine(lines, `task "${task.name}"`, context.runCount, inputs), context);
  }

  /** Null where nothing is to be waited for. */
  succeeded(value: unknown, state: State | null, context: TaskContext): Promise<void> | null {
    this.ended(value, state, context);
    if (this.#assets === null) return null;
    const { scope, identity } = this.#run;
    scope.execution.lineage.followValue(identity.id, value);
    return this.#tellOfAssets(state, context);
  }

  /** All that is told of a result that another run has made. */
  ended(value: unknown, state: State | null, context: TaskContext | null): void {
    const { task, scope } = this.#run;
    const lines = runLines(task.logValues);
    if (lines === null || state === null || !isLogged("info")) return;
    scope.execution.log("info", endLine(lines, state.name, this.#spanMs, value), context);
  }

  async failed(error: unknown, state: State, context: TaskContext): Promise<void> {
    const line = `Finished in state ${state.name} after ${formatDuration(this.#spanMs)}. ${errorStack(error)}`;
    this.#run.scope.execution.log("error", line, context);
    if (this.#assets !== null) await this.#tellOfAssets(state, context);
  }

  /** A trouble with it is no trouble of the task. */
  async #tellOfAssets(state: State | null, context: TaskContext): Promise<void> {
    const events = state === null ? [] : (this.#assets?.eventsOf(state) ?? []);
    try {
      await inScope(this.within(context), () => emitEvents(events));
    } catch (error) {
      const line = `The events of its assets were not stored. ${errorMessage(error)}`;
      this.#run.scope.execution.log("warn", line, context);
    }
  }

  get #spanMs(): number {
    return this.#startedAt === null ? 0 : this.#run.scope.execution.clock.now() - this.#startedAt;
  }
}
