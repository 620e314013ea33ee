/** Faults that a test asks for, and which attempt of which task each one strikes. */
import type { TaskContext } from "../flow/context.ts";

/** Which attempts of a task a fault strikes. Everything may be left out, which means: every one. */
export interface FaultPoint {
  /** The how-manieth run of the task within its flow run, from 1, in the order in which they start. */
  readonly call?: number;
  /** The how-manieth attempt of the task run, from 1. */
  readonly attempt?: number;
  /** Before the task's own code runs, or after it has ended well and before its result is stored. Default "before". */
  readonly moment?: "before" | "after";
}

/** What goes wrong; made by {@link fail}, {@link crash}, {@link loseConnection} and {@link cancel}. */
export type Fault =
  | { readonly kind: "fail"; readonly error: unknown }
  | { readonly kind: "crash" | "lose-connection" | "cancel" };

/** The attempt throws `error`. Default: an Error that names the fault. Strikes as often as its point is reached. */
export function fail(error: unknown = new Error("A fault of the test.")): Fault {
  return { kind: "fail", error };
}

/** The process dies here: nothing of it is reported or stored any more. Strikes once. See `OfflineWorld.continueRun`. */
export function crash(): Fault {
  return { kind: "crash" };
}

/** The owner of the run is out of reach for good: the flow's signal aborts, and the call throws. Strikes once. */
export function loseConnection(): Fault {
  return { kind: "lose-connection" };
}

/** Somebody cancels the flow run here. Strikes once. */
export function cancel(): Fault {
  return { kind: "cancel" };
}

interface Planned {
  readonly task: string;
  readonly point: FaultPoint;
  readonly fault: Fault;
}

/** The faults of one world. */
export class FaultPlan {
  #planned: Planned[] = [];
  /** Task runs of each task of each flow run, in the order of their first attempt. */
  readonly #calls = new Map<string, string[]>();

  add(task: string, point: FaultPoint, fault: Fault): void {
    this.#planned.push({ task, point, fault });
  }

  /** The fault that strikes here; one that strikes once is then gone. */
  take(context: TaskContext, moment: "before" | "after"): Fault | null {
    const call = this.#callOf(context);
    const found = this.#planned.find(
      ({ task, point }) =>
        task === context.taskName &&
        (point.moment ?? "before") === moment &&
        (point.call ?? call) === call &&
        (point.attempt ?? context.runCount) === context.runCount,
    );
    if (found === undefined) return null;
    if (found.fault.kind !== "fail") this.#planned = this.#planned.filter((one) => one !== found);
    return found.fault;
  }

  #callOf(context: TaskContext): number {
    const key = `${context.flow?.flowRunId}/${context.taskName}`;
    const calls = this.#calls.get(key) ?? [];
    if (!calls.includes(context.taskRunId)) calls.push(context.taskRunId);
    this.#calls.set(key, calls);
    return calls.indexOf(context.taskRunId) + 1;
  }
}
