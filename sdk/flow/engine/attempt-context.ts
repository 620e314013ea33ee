/** What one attempt of a task knows of itself. */
import type { TaskContext } from "../context.ts";
import { logger } from "../logger.ts";
import type { TaskDefinition } from "../task.ts";
import type { TaskIdentity } from "./execution.ts";
import { onAbort } from "./on-abort.ts";
import type { Scope } from "./scope.ts";

/** The task run that the attempt is one of. */
export interface AttemptOwner {
  readonly identity: TaskIdentity;
  readonly name: string;
}

/** The context of one attempt. Its signal is the flow's own unless a timeout can abort it alone. */
export class AttemptContext implements TaskContext {
  readonly taskRunId: TaskContext["taskRunId"];
  readonly taskRunName: string;
  readonly taskName: string;
  readonly runCount: number;
  readonly signal: AbortSignal;
  readonly logger = logger();
  readonly flow: TaskContext["flow"];
  readonly #controller: AbortController | null;
  readonly #forget: (() => void) | null;

  constructor(runner: AttemptOwner, task: TaskDefinition, scope: Scope, runCount: number, outer: AbortSignal) {
    this.taskRunId = runner.identity.id;
    this.taskRunName = runner.name;
    this.taskName = task.name;
    this.runCount = runCount;
    this.flow = scope.flow;
    const controller = task.timeoutMs === null ? null : new AbortController();
    this.#controller = controller;
    this.#forget = controller === null ? null : onAbort(outer, () => controller.abort(outer.reason));
    this.signal = controller?.signal ?? outer;
  }

  timeOut(error: Error): Error {
    this.#controller?.abort(error);
    return error;
  }

  end(): void {
    this.#forget?.();
  }
}
