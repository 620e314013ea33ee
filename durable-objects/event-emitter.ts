/**
 * Tells the hub of written states, in groups: the first is told at once, what follows is collected for a moment, and
 * while a call is under way the next group grows. A call that fails is tried again until it succeeds. Nothing is kept
 * here: what an earlier life of the object may not have told is found in the journal.
 */
import type { Event } from "#protocol/events";
import type { FlowRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { type FlowRunStep, flowRunEvent } from "./flow-run-event.ts";
import type { ResourceNames } from "./resource-names.ts";
import type { RunSpec } from "./storage/run-rows.ts";
import { type TaskRunStep, taskRunEvent } from "./task-run-step.ts";

/** Events of one call. */
const GROUP_EVENTS = 200;
/** Characters of messages after which a call carries no further event: calls carry 32 MB. */
const GROUP_MESSAGE_CHARS = 2_000_000;

/** Task states that wait to be told of: a run of very many tasks must not fill the object's memory with them. */
const WAITING_TASK_STEPS = 10_000;

export interface EmitterParts {
  readonly names: ResourceNames;
  spec(id: FlowRunId): RunSpec | null;
  /** Stores the events at the hub. */
  publish(events: Event[]): Promise<void>;
}

const RETRY_MS = [100, 500, 2_000, 10_000] as const;

interface Waiting {
  readonly step: FlowRunStep | TaskRunStep;
  resolve(): void;
}

export class EventEmitter {
  readonly #parts: EmitterParts;
  #waiting: Waiting[] = [];
  #isSending = false;
  #lastSentAt = 0;

  constructor(parts: EmitterParts) {
    this.#parts = parts;
  }

  /** Tells of one step. Settles when the hub has stored it. */
  emit(step: FlowRunStep): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ step, resolve });
      this.#begin();
    });
  }

  /**
   * Tells of steps of task runs, once: what an earlier life of the object did not tell stays untold, since their states are
   * nobody's decision here. Of more than can wait, those that came last are left out, and the log says how many.
   */
  emitTasks(steps: readonly TaskRunStep[]): void {
    const room = Math.max(0, WAITING_TASK_STEPS - this.#waiting.length);
    for (const step of steps.slice(0, room)) this.#waiting.push({ step, resolve: () => undefined });
    if (steps.length > room)
      console.warn(`${steps.length - room} states of task runs are told to nobody: too many wait.`);
    if (this.#waiting.length > 0) this.#begin();
  }

  #begin(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    // Not before the turn is over, so that what is written together is told together.
    setTimeout(() => void this.#send(), Math.max(0, this.#lastSentAt + SPANS.eventSendDelayMs - Date.now()));
  }

  async #send(): Promise<void> {
    let failures = 0;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, this.#groupSize());
      let delayMs: number = SPANS.eventSendDelayMs;
      try {
        await this.#publish(group.map(({ step }) => step));
        this.#waiting.splice(0, group.length);
        for (const { resolve } of group) resolve();
        failures = 0;
      } catch (error) {
        delayMs = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0;
        failures += 1;
        console.warn(`Telling of ${group.length} states failed ${failures} times; it is tried again.`, error);
      }
      this.#lastSentAt = Date.now();
      if (this.#waiting.length > 0) await scheduler.wait(delayMs);
    }
    this.#isSending = false;
  }

  #groupSize(): number {
    let chars = 0;
    const size = this.#waiting.findIndex(({ step: { from, to } }) => {
      chars += (from?.message?.length ?? 0) + (to.message?.length ?? 0);
      return chars > GROUP_MESSAGE_CHARS;
    });
    return Math.min(GROUP_EVENTS, size < 0 ? GROUP_EVENTS : size + 1);
  }

  async #publish(steps: readonly (FlowRunStep | TaskRunStep)[]): Promise<void> {
    const { names, spec, publish } = this.#parts;
    // A run that was deleted meanwhile has nothing to tell.
    const known = steps.flatMap((step) => {
      const found = spec(step.id);
      return found ? [{ step, spec: found }] : [];
    });
    if (known.length === 0) return;
    await names.learn(known.map((run) => run.spec));
    await publish(
      known.map(({ step, spec: run }) =>
        "task" in step ? taskRunEvent(step, run, names) : flowRunEvent(step, run, names),
      ),
    );
  }
}
