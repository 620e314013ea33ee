/** A world without a control plane: a recording backend, a manual clock, a silent console, no lines but what code logs. */

import type { TaskReport } from "#protocol/run-channel";
import { configure } from "../../sdk/flow/configuration.ts";
import { OfflineBackend, type RecordedRun } from "../../sdk/flow/engine/offline-backend.ts";
import { ManualClock } from "./manual-clock.ts";

export interface OfflineWorld extends Disposable {
  readonly clock: ManualClock;
  readonly backend: OfflineBackend;
  /** The only run that was made. */
  readonly run: RecordedRun;
  /** Task runs of the only run, in the order of their first report. */
  readonly tasks: TaskReport[];
}

export function offlineWorld(): OfflineWorld {
  const clock = new ManualClock();
  const backend = new OfflineBackend({ clock, record: true });
  const restore = configure({ backend, clock, echoLogs: false, logLevel: "info", runLogs: "none" });
  const only = (): RecordedRun => {
    const [run, ...more] = backend.runs;
    if (!run || more.length > 0) throw new Error(`${backend.runs.length} runs were made, not one.`);
    return run;
  };
  return {
    clock,
    backend,
    get run() {
      return only();
    },
    get tasks() {
      return [...only().tasks.values()];
    },
    [Symbol.dispose]: restore,
  };
}

/** Names of states in their order. */
export function names(states: readonly { readonly name: string }[]): string[] {
  return states.map((state) => state.name);
}
