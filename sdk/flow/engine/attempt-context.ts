/** What one attempt of a task knows of itself. */
import type { ApiClient } from "../../client/api-client.ts";
import { configuredClient } from "../configuration.ts";
import type { TaskContext } from "../context.ts";
import { logger } from "../logger.ts";
import type { TaskDefinition } from "../task.ts";
import type { TaskIdentity } from "./execution.ts";
import { namedArguments } from "./inputs.ts";
import { onAbort } from "./on-abort.ts";
import { taskRunApiUrl, taskRunUiUrl } from "./run-urls.ts";
import type { Scope } from "./scope.ts";

/** The task run that the attempt is one of. */
export interface AttemptOwner {
  readonly identity: TaskIdentity;
  readonly name: string;
  readonly tags: readonly string[];
  readonly task: TaskDefinition;
}

/** The context of one attempt. Its signal is the flow's own unless a timeout can abort it alone. */
export class AttemptContext implements TaskContext {
  readonly taskRunId: TaskContext["taskRunId"];
  readonly taskRunName: string;
  readonly taskName: string;
  readonly tags: readonly string[];
  readonly runCount: number;
  readonly signal: AbortSignal;
  readonly logger = logger();
  readonly flow: TaskContext["flow"];
  readonly #owner: AttemptOwner;
  readonly #scope: Scope;
  readonly #args: readonly unknown[];
  readonly #controller: AbortController | null;
  readonly #forget: (() => void) | null;

  constructor(owner: AttemptOwner, scope: Scope, args: readonly unknown[], runCount: number, outer: AbortSignal) {
    this.taskRunId = owner.identity.id;
    this.taskRunName = owner.name;
    this.taskName = owner.task.name;
    this.tags = owner.tags;
    this.runCount = runCount;
    this.flow = scope.flow;
    this.#owner = owner;
    this.#scope = scope;
    this.#args = args;
    const controller = owner.task.timeoutMs === null ? null : new AbortController();
    this.#controller = controller;
    this.#forget = controller === null ? null : onAbort(outer, () => controller.abort(outer.reason));
    this.signal = controller?.signal ?? outer;
  }

  get parameters(): TaskContext["parameters"] {
    return namedArguments(this.#args, this.#owner.task.shape.names);
  }

  get apiUrl(): string | null {
    return taskRunApiUrl(this.#client, this.taskRunId);
  }

  get uiUrl(): string | null {
    return taskRunUiUrl(this.#client, this.flow?.flowRunId ?? null, this.taskRunId);
  }

  /** Of the control plane that hears of the run; null where none does. */
  get #client(): ApiClient | null {
    const { session, isBackground } = this.#scope.execution;
    return session?.client ?? (isBackground ? configuredClient() : null);
  }

  timeOut(error: Error): Error {
    this.#controller?.abort(error);
    return error;
  }

  end(): void {
    this.#forget?.();
  }
}
