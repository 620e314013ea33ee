/// <reference lib="esnext.disposable" preserve="true" />
/** Flows with no server: a clock of the test's, a record of what was run, and faults where the test asks for them. */
import { ApiUnreachableError } from "../client/errors.ts";
import { configure, type LogLevel } from "../flow/configuration.ts";
import type { TaskContext } from "../flow/context.ts";
import type { RunSession } from "../flow/engine/backend.ts";
import { OfflineBackend, type RecordedRun } from "../flow/engine/offline-backend.ts";
import { runFlow } from "../flow/engine/run-flow.ts";
import { currentScope } from "../flow/engine/scope.ts";
import { type AnyFlow, definitionOf } from "../flow/flow.ts";
import { memoryStorage, type ResultStorage } from "../flow/results/storage.ts";
import type { TaskReport } from "../protocol/run-channel.ts";
import { type Fault, FaultPlan, type FaultPoint } from "./faults.ts";
import { MortalProcess } from "./mortal-process.ts";
import { TestClock, type TestClockOptions } from "./test-clock.ts";

/** What a world is like. Everything may be left out. */
export interface OfflineWorldOptions {
  /** Where its clock stands at first. Default: 2026-11-21T05:14:31Z. */
  readonly start?: Date;
  /** Whether tasks that do not say persist their results, as they do in runs of deployments. Default false. */
  readonly persist?: boolean;
  /** Where results are kept. Default: a memory of this world's own. */
  readonly storage?: ResultStorage;
  /** Least level of log lines that are recorded. Default "info". */
  readonly logLevel?: LogLevel;
  /** Whether log lines are also written to standard error. Default false. */
  readonly echoLogs?: boolean;
}

/** A world without a control plane, for as long as it is not disposed of. Flows that are called meanwhile run in it. */
export interface OfflineWorld extends Disposable {
  readonly clock: TestClock;
  /** All flow runs, in the order in which they were made; one that was continued stands here once for each life. */
  readonly runs: readonly RecordedRun[];
  /** The only flow run. Throws when there is none, or more than one. */
  readonly run: RecordedRun;
  /** Task runs of the only flow run with all their states, in the order of their first report. Throws as `run` does. */
  readonly tasks: readonly TaskReport[];
  /** Where results are kept. */
  readonly storage: ResultStorage;
  /**
   * Does something, a call of a flow for example, jumping over every wait in it, and answers what it answers. Throws what
   * it throws, and `ProcessCrashedError` when a fault let the process die.
   */
  execute<T>(act: () => Promise<T>, options?: TestClockOptions): Promise<T>;
  /** Plans a fault at the attempts of the task of this name (not of its runs) that `point` describes. */
  onTask(name: string, point: FaultPoint, fault: Fault): void;
  /** Lets the process die where user code awaits this; it never resolves. */
  crash(): Promise<never>;
  /**
   * Runs a flow again as another process does to which the run is offered after a crash, and answers what the flow
   * returns. Throws as `execute` does. `run` is by default the last one that no other run called.
   */
  continueRun(flow: AnyFlow, run?: RecordedRun): Promise<unknown>;
}

/**
 * Begins a world. There is one at a time in a process: the settings of `configure` are its own until it is disposed of,
 * which `using world = offlineWorld()` does at the end of the test.
 */
export function offlineWorld(options: OfflineWorldOptions = {}): OfflineWorld {
  const clock = new TestClock(options.start);
  const backend = new OfflineBackend({ clock, record: true });
  const storage = options.storage ?? memoryStorage();
  const faults = new FaultPlan();
  let process = new MortalProcess();
  const processes = new WeakMap<RunSession, MortalProcess>();
  const restore = configure({
    backend: {
      createFlowRun: (request) =>
        owner().live(async () => {
          const session = await backend.createFlowRun(request);
          return opened(session);
        }),
    },
    clock,
    echoLogs: options.echoLogs ?? false,
    logLevel: options.logLevel ?? "info",
    // What code logs is asserted on, without the lines that every run has.
    runLogs: "none",
    results: {
      storage: {
        read: (key) => owner().storage(storage).read(key),
        write: (key, bytes) => owner().storage(storage).write(key, bytes),
        delete: (key) => owner().storage(storage).delete(key),
      },
      ...(options.persist === undefined ? {} : { persist: options.persist }),
    },
  });

  async function around(context: TaskContext, code: () => Promise<unknown>): Promise<unknown> {
    await strike(faults.take(context, "before"), context);
    const value = await code();
    await strike(faults.take(context, "after"), context);
    return value;
  }

  async function strike(fault: Fault | null, context: TaskContext): Promise<void> {
    if (fault === null) return;
    if (fault.kind === "fail") throw fault.error;
    if (fault.kind === "crash") return await die();
    const run = backend.runs.findLast((one) => one.run.id === context.flow?.flowRunId);
    if (fault.kind === "cancel") run?.stop({ action: "cancel", state: null });
    else run?.stop({ action: "lost", error: new ApiUnreachableError("(no server)", "a fault of the test") });
    context.signal.throwIfAborted();
  }

  function opened(session: RunSession): RunSession {
    const mortal = process.session(session, around);
    processes.set(mortal, process);
    return mortal;
  }

  /** The process of the calling code: what runs on of a dead one must not reach into the next. */
  function owner(): MortalProcess {
    const session = currentScope()?.execution.session;
    return (session && processes.get(session)) ?? process;
  }

  function die(): Promise<never> {
    const dying = owner();
    if (!dying.isDead) {
      dying.die();
      clock.clear();
    }
    return new Promise(() => undefined);
  }

  const only = (): RecordedRun => {
    const [run, ...more] = backend.runs;
    if (!run || more.length > 0) {
      throw new Error(`${backend.runs.length} flow runs were made, not one. Look at \`world.runs\`.`);
    }
    return run;
  };

  const execute = <T>(act: () => Promise<T>, how?: TestClockOptions): Promise<T> => {
    if (process.isDead) process = new MortalProcess();
    return clock.run(Promise.race([act(), process.died]), how);
  };

  return {
    clock,
    storage,
    runs: backend.runs,
    get run() {
      return only();
    },
    get tasks() {
      return [...only().tasks.values()];
    },
    execute,
    onTask: (name, point, fault) => faults.add(name, point, fault),
    crash: die,
    async continueRun(flow, run = backend.runs.findLast(({ request }) => request.parent === null)) {
      if (run === undefined) throw new Error("There is no flow run to continue. Call the flow first.");
      return await execute(async () => {
        const session = opened(backend.continueRun(run));
        const outcome = await runFlow(definitionOf(flow), session, run.request.parameters, clock);
        if (outcome.kind === "threw") throw outcome.error;
        return outcome.value;
      });
    },
    [Symbol.dispose]: restore,
  };
}

/** Names of states in their order: `["Pending", "Running", "Completed"]`. */
export function stateNames(states: readonly { readonly name: string }[]): string[] {
  return states.map((state) => state.name);
}
