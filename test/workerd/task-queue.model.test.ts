/**
 * Through any order of tasks that are made, workers that come, acknowledge and vanish, and objects that lose their memory:
 * no task is in the hands of two live workers, none is delivered again that was acknowledged, and none is lost.
 *
 * Teeth: with an acknowledgement that the queue does not write down, with a delivery that is not, and with a worker's
 * task that is not given back when it vanishes, it failed within its first runs.
 */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { it } from "vitest";
import type { TaskRunId } from "#protocol/ids";
import { SPANS } from "#protocol/limits";
import { clock } from "../../durable-objects/clock.ts";
import { freshName } from "./support/api.ts";
import { budget } from "./support/budget.ts";
import { until } from "./support/runs.ts";
import { delay, TaskWorkerClient } from "./support/task-workers.ts";

type Step =
  | { readonly do: "make"; readonly key: number }
  | { readonly do: "connect"; readonly keys: readonly number[] }
  | { readonly do: "acknowledge" | "close"; readonly worker: number }
  | { readonly do: "forget"; readonly what: "queue" | "sockets" }
  /** The leases of what is held are over: the queues look after it. */
  | { readonly do: "look" }
  | { readonly do: "pause" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("make" as const), key: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("connect" as const), keys: fc.constantFrom([0], [1], [0, 1], [1, 0]) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), worker: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("close" as const), worker: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("forget" as const), what: fc.constantFrom("queue", "sockets") }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pause" as const) }) },
);

/** A worker with the number of tasks that it has acknowledged: at most one more was received. */
interface Worker {
  readonly client: TaskWorkerClient;
  acknowledged: number;
}

class World {
  readonly keys = [freshName("task"), freshName("task")];
  readonly made = new Set<TaskRunId>();
  readonly done = new Set<TaskRunId>();
  readonly workers: Worker[] = [];

  async run(what: Step): Promise<void> {
    const worker = "worker" in what ? this.workers[what.worker % Math.max(1, this.workers.length)] : undefined;
    switch (what.do) {
      case "make":
        this.made.add((await delay(this.keys[what.key] ?? "")).id);
        break;
      case "connect":
        this.workers.push({ client: await this.#connect(what.keys), acknowledged: 0 });
        break;
      case "acknowledge":
        if (worker) this.acknowledge(worker);
        break;
      case "close":
        if (worker) this.#close(worker);
        break;
      case "forget":
        if (what.what === "queue") {
          for (const key of this.keys) {
            const queue = env.TASK_QUEUES.getByName(key);
            await queue.hasRoom();
            await evictDurableObject(queue);
          }
        } else {
          const sockets = env.TASK_SUBSCRIPTIONS.getByName("subscriptions-0");
          await sockets.workers();
          await evictDurableObject(sockets);
        }
        break;
      case "look":
        await this.#look();
        break;
      case "pause":
        await scheduler.wait(5);
        break;
    }
    this.check();
  }

  acknowledge(worker: Worker): void {
    const task = worker.client.received[worker.acknowledged];
    if (!task || worker.client.closed) return;
    this.done.add(task.id);
    worker.acknowledged += 1;
    worker.client.acknowledge();
  }

  /**
   * Everything that was made and not acknowledged is delivered to those who come now: at once, or, where a queue lost its
   * memory while it brought a task to a worker that vanished, once the lease of that task is over.
   */
  async finish(): Promise<void> {
    for (const worker of this.workers) this.#close(worker);
    const last: Worker = { client: await this.#connect([0, 1]), acknowledged: 0 };
    this.workers.push(last);
    let rounds = 0;
    await until(`the rest of ${this.made.size} tasks, of which ${this.done.size} are done`, async () => {
      this.acknowledge(last);
      this.check();
      rounds += 1;
      if (rounds % 20 === 0) await this.#look();
      return this.done.size === this.made.size;
    });
    await this.run({ do: "forget", what: "queue" });
    await this.#look();
    await scheduler.wait(20);
    this.check();
    last.client.close();
  }

  check(): void {
    const hands = new Map<TaskRunId, number>();
    for (const { client, acknowledged } of this.workers) {
      if (client.received.length > acknowledged + 1) throw new Error("A worker was given a task before it asked.");
      for (const [index, { id }] of client.received.entries()) {
        const isLive = client.closed === null || index < acknowledged;
        if (isLive) hands.set(id, (hands.get(id) ?? 0) + 1);
      }
    }
    for (const [id, count] of hands) if (count > 1) throw new Error(`Task ${id} is in ${count} hands.`);
  }

  async #look(): Promise<void> {
    clock.move(SPANS.taskLeaseMs);
    for (const key of this.keys) await runDurableObjectAlarm(env.TASK_QUEUES.getByName(key));
  }

  async #connect(keys: readonly number[]): Promise<TaskWorkerClient> {
    return TaskWorkerClient.connect(keys.map((key) => this.keys[key] ?? ""));
  }

  #close({ client }: Worker): void {
    client.close();
  }
}

it("delivers every background task to one worker, and to another only when that one is gone", {
  timeout: budget({ fast: 60_000, full: 600_000 }),
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const world = new World();
      for (const what of steps) await world.run(what);
      await world.finish();
    }),
    { numRuns: budget({ fast: 25, full: 500 }), interruptAfterTimeLimit: budget({ fast: 40_000, full: 500_000 }) },
  );
});
