/** A server and its workers, some of which are killed now and then, and messages that come twice and late. */
import { DatabaseSync } from "node:sqlite";
import { filterDeadLetters, replayDeadLetter } from "../../../sdk/protocol/dead-letters.ts";
import { databaseOf } from "../../support/d1-file.ts";
import { type StartedWorker, spawnWorker, type WorkerOptions } from "../../support/runner.ts";
import type { TestServer } from "../../support/server.ts";
import type { ControlPlane } from "../control-plane.ts";

/** Numbers from 0 to 1 (1 excluded) that a seed makes the same each time (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Workers that are replaced when they are killed; the processes of their runs go with them. */
export class Workers implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #all: StartedWorker[] = [];
  readonly #current: StartedWorker[] = [];
  /** Processes of runs whose worker was killed. */
  readonly killed = new Set<number>();

  constructor(options: WorkerOptions, count: number) {
    this.#options = options;
    for (let index = 0; index < count; index++) this.#start(index);
  }

  async kill(index: number): Promise<void> {
    const worker = this.#current[index];
    worker?.signal("SIGKILL");
    await worker?.gone;
    // Its processes see that their parent is gone, at the latest when they report next.
    for (const { event, pid } of worker?.lines ?? []) {
      if (event === "run-started" && pid !== undefined) this.killed.add(pid);
    }
    this.#start(index);
  }

  text(): string {
    return this.#all.map((worker) => worker.text()).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker[Symbol.asyncDispose]()));
  }

  #start(index: number): void {
    const worker = spawnWorker({ ...this.#options, words: ["--name", `w${index}`] });
    this.#current[index] = worker;
    this.#all.push(worker);
  }
}

/**
 * Puts messages of the dispatch queue by, as if it had given them up; the server must not run. Sent again later they are
 * messages that come twice and late.
 */
export function putByMessages({ dataDir }: TestServer, runs: readonly string[]): void {
  // The kernel may still be taking the killed engine's locks away.
  const db = new DatabaseSync(databaseOf(dataDir), { timeout: 5_000 });
  try {
    const insert = db.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, ?, ?, ?, ?)");
    for (const run of runs) {
      const body = JSON.stringify({ flow_run_id: run });
      insert.run(crypto.randomUUID(), "dispatch", body, 10, Date.now());
    }
  } finally {
    db.close();
  }
}

/** Sends every message that was put by again. Answers how many. */
export async function sendPutBy({ client }: ControlPlane): Promise<number> {
  const letters = await client.call(filterDeadLetters, { body: { queue: "dispatch" } }, { idempotent: true });
  await Promise.all(letters.map(({ id }) => client.call(replayDeadLetter, { params: { id } }, { patienceMs: 0 })));
  return letters.length;
}
