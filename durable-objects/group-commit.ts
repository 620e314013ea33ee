/**
 * One commit for what arrives together.
 *
 * A commit costs the same whether it holds one decision or fifty, and it is the bottleneck of an object. Jobs that
 * arrive in the same turn of the event loop run one after another inside one transaction, each in a nested one, so
 * that a job that fails undoes only itself. Answers go out after the common commit (the output gate holds them until
 * it is durable).
 */

interface Job {
  /** Does the work; answers how to tell the caller once it is committed. */
  perform(): () => void;
  reject(error: unknown): void;
}

export class GroupCommit {
  readonly #storage: DurableObjectStorage;
  readonly #beforeCommit: () => void;
  readonly #onRollback: () => void;
  #waiting: Job[] = [];

  /**
   * `beforeCommit` runs last in every common transaction: the place for writes that can wait for the next commit.
   * `onRollback` is told when a job or a common transaction was undone: what memory noted during it is not true.
   */
  constructor(storage: DurableObjectStorage, beforeCommit: () => void, onRollback: () => void) {
    this.#storage = storage;
    this.#beforeCommit = beforeCommit;
    this.#onRollback = onRollback;
  }

  /** Runs a synchronous job in the next common transaction; settles with what it returned or threw, after the commit. */
  run<T>(job: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) setTimeout(() => this.#drain(), 0);
      this.#waiting.push({
        perform: () => {
          try {
            const value = this.#storage.transactionSync(job);
            return () => resolve(value);
          } catch (error) {
            this.#onRollback();
            return () => reject(error);
          }
        },
        reject,
      });
    });
  }

  #drain(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    try {
      const answers = this.#storage.transactionSync(() => {
        const performed = jobs.map((job) => job.perform());
        this.#beforeCommit();
        return performed;
      });
      for (const answer of answers) answer();
    } catch (error) {
      // The common transaction itself failed: nothing of it was kept, whatever the single jobs thought.
      this.#onRollback();
      for (const job of jobs) job.reject(error);
    }
  }
}
