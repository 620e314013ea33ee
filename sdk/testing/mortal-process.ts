/** A process that a test can let die: from then on whatever is asked of it stands still, and nothing of it is kept. */
import type { TaskContext } from "../flow/context.ts";
import type { RunSession, StopRequest } from "../flow/engine/backend.ts";
import type { ResultStorage } from "../flow/results/storage.ts";
import type { OrchestrationResult, StateCreate } from "../protocol/states.ts";

/** What a call throws whose process was let die by a fault. */
export class ProcessCrashedError extends Error {
  override readonly name = "ProcessCrashedError";

  constructor() {
    super("The process was let die by a fault of the test. Continue its run with: world.continueRun(flow).");
  }
}

/** One life: from the start of a world, or its last crash, to the next crash. */
export class MortalProcess {
  #isDead = false;
  readonly #died = Promise.withResolvers<never>();

  constructor() {
    this.#died.promise.catch(() => undefined);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Rejects with {@link ProcessCrashedError} at its death; never resolves. */
  get died(): Promise<never> {
    return this.#died.promise;
  }

  die(): void {
    this.#isDead = true;
    this.#died.reject(new ProcessCrashedError());
  }

  /** Answers what `act` answers; for ever nothing once the process is dead. */
  async live<T>(act: () => T | Promise<T>): Promise<T> {
    const answer = this.#isDead ? null : { value: await act() };
    return answer === null || this.#isDead ? await forever() : answer.value;
  }

  /** The storage as this process reaches it. */
  storage(storage: ResultStorage): ResultStorage {
    return {
      read: (key) => this.live(() => storage.read(key)),
      write: (key, bytes) => this.live(() => storage.write(key, bytes)),
      delete: (key) => this.live(() => storage.delete(key)),
    };
  }

  /** The session as this process has it, with what is to happen around each attempt of a task. */
  session(session: RunSession, around: NonNullable<RunSession["around"]>): RunSession {
    return {
      run: session.run,
      propose: (state: StateCreate): Promise<OrchestrationResult> => this.live(() => session.propose(state)),
      report: (task) => void (this.isDead || session.report(task)),
      log: (line) => void (this.isDead || session.log(line)),
      addLabels: (labels) => this.live(() => session.addLabels(labels)),
      createArtifact: (artifact) => this.live(() => session.createArtifact(artifact)),
      knownTasks: () => this.live(() => session.knownTasks()),
      flush: () => this.live(() => session.flush()),
      ready: () => (this.isDead ? forever() : session.ready()),
      onStop: (listener: (request: StopRequest) => void) => session.onStop(listener),
      close: () => this.live(() => session.close()),
      around: (context: TaskContext, code: () => Promise<unknown>) =>
        this.live(() => around(context, () => this.live(code))),
    };
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}
