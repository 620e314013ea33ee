/**
 * A pool under everything that can happen to it, in any order and at the same time: offers (also repeated), withdrawals,
 * releases, workers that come, go and come back, claims that fail before or after they were made, time, alarms, losses
 * of memory, crashes. The owners of the runs are the judge; the workers count what they were given.
 *
 * Its teeth, shown with planted bugs: without the reservation before a claim it fails with `[pool limit 1, offer 2 to
 * default in 0]` (two runs in progress, the limit is 1); without storing a run whose claim failed with `[offer 1 to
 * default in 0, fail before the next claim]` (lost); when `released` is not heard, with slots that stay occupied.
 */
import { runDurableObjectAlarm } from "cloudflare:test";
import fc from "fast-check";
import { it } from "vitest";
import type { FlowRunId } from "#protocol/ids";
import { budget } from "./support/budget.ts";
import { movableClock, offer, Pool, type WorkerClient } from "./support/pools.ts";
import { freshRunId, until } from "./support/runs.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const WORKERS = [
  { name: "one", limit: 1, queues: [] },
  { name: "two", limit: 2, queues: [] },
  { name: "picky", limit: 3, queues: ["fast"] },
] as const;

const moveClock = movableClock();

type RunPhase =
  /** Offered, or to be offered; the pool must bring it to a worker. */
  | { readonly kind: "waiting" }
  /** Given to a worker by the owner. The push may be on its way, or lost. */
  | { readonly kind: "claimed"; readonly worker: string; readonly generation: number }
  /** Its process was started. */
  | { readonly kind: "started"; readonly worker: string; readonly generation: number }
  | { readonly kind: "ended" };

interface Process {
  readonly id: FlowRunId;
  readonly generation: number;
}

class World {
  readonly pool: Pool;
  readonly poolLimit: number;
  readonly phases = new Map<FlowRunId, RunPhase>();
  readonly queues = new Map<FlowRunId, string>();
  readonly clients = new Map<string, WorkerClient>();
  readonly processes = new Map<string, Process[]>();
  readonly draining = new Set<string>();
  /** Connected, but nothing that is sent to them arrives. */
  readonly deaf = new Set<string>();
  readonly violations: string[] = [];
  readonly #pushed = new Set<string>();
  readonly #calls: Promise<unknown>[] = [];

  constructor(pool: Pool, poolLimit: number) {
    this.pool = pool;
    this.poolLimit = poolLimit;
    pool.owners.onTicket = (id, worker, generation) => this.phases.set(id, { kind: "claimed", worker, generation });
  }

  /** Calls without waiting, so that calls overlap. */
  call(what: Promise<unknown>): void {
    this.#calls.push(what);
  }

  async quiet(): Promise<void> {
    await Promise.all(this.#calls.splice(0));
    await until("claims are answered", async () => (await this.pool.status()).claiming === 0);
  }

  offer(id: FlowRunId, dueInMs: number): void {
    const queue = this.queues.get(id) ?? "default";
    this.call(this.pool.stub.offer(offer({ id, dueInMs, queue, priority: queue === "fast" ? 1 : 2 })));
  }

  runs(...kinds: RunPhase["kind"][]): FlowRunId[] {
    return [...this.phases].filter(([, phase]) => kinds.includes(phase.kind)).map(([id]) => id);
  }

  async connect(name: string, limit: number, queues: readonly string[]): Promise<void> {
    this.disconnect(name);
    this.draining.delete(name);
    this.deaf.delete(name);
    const client = await this.pool.dial(name);
    client.onFrame = (frame) => {
      if (this.clients.get(name) === client && this.deaf.has(name)) return;
      if (frame.type === "run") this.#received(name, limit, frame.ticket.flow_run_id, frame.ticket.generation);
      if (frame.type === "error") this.violations.push(`${name} was sent the error: ${frame.message}`);
    };
    const runs = this.#processesOf(name).map(({ id, generation }) => ({ flow_run_id: id, generation }));
    client.send({
      type: "hello",
      protocol: 1,
      worker_name: name,
      worker_type: "process",
      limit,
      work_queue_names: [...queues],
      runs,
    });
    this.clients.set(name, client);
    await client.waitFor("welcome");
  }

  disconnect(name: string): void {
    this.clients.get(name)?.close();
    this.clients.delete(name);
  }

  /** The process is gone, and the worker says so if it can. */
  processEnds(name: string, process: Process): void {
    this.processes.set(
      name,
      this.#processesOf(name).filter((other) => other !== process),
    );
    this.clients.get(name)?.send({ type: "released", flow_run_id: process.id, generation: process.generation });
  }

  /** What an owner does when the lease of a claim ends: asks the pool, and offers the run again if nobody has it. */
  async leaseEnds(id: FlowRunId): Promise<void> {
    const phase = this.phases.get(id);
    if (phase?.kind !== "claimed") return;
    const { worker, generation } = phase;
    if (await this.pool.stub.workerOnline(worker, id)) return;
    const now = this.phases.get(id);
    if (now?.kind !== "claimed" || now.generation !== generation) return;
    this.phases.set(id, { kind: "waiting" });
    this.pool.owners.wait(id);
    await this.pool.stub.release(id, generation);
    this.offer(id, 0);
  }

  end(id: FlowRunId): void {
    this.phases.set(id, { kind: "ended" });
    this.pool.owners.end(id);
  }

  #received(name: string, limit: number, id: FlowRunId, generation: number): void {
    const key = `${id} in generation ${generation}`;
    if (this.#pushed.has(key)) this.violations.push(`${key} was pushed twice`);
    this.#pushed.add(key);
    if (this.draining.has(name)) this.violations.push(`${key} was pushed to the draining worker ${name}`);
    const phase = this.phases.get(id);
    const isCurrent = phase?.kind === "claimed" && phase.generation === generation;
    // The owner refuses a process of a run that has ended or was given to somebody else: it ends at once.
    if (isCurrent) {
      this.pool.owners.end(id);
      this.phases.set(id, { kind: "started", worker: name, generation });
    }
    const processes = [...this.#processesOf(name), { id, generation }];
    this.processes.set(name, processes);
    if (processes.length > limit)
      this.violations.push(`${name} has ${processes.length} processes, its limit is ${limit}`);
    const inProgress = this.runs("started").length;
    if (inProgress > this.poolLimit)
      this.violations.push(`${inProgress} runs in progress, the limit is ${this.poolLimit}`);
  }

  #processesOf(name: string): Process[] {
    return this.processes.get(name) ?? [];
  }
}

type Command = { toString(): string; run(world: World): Promise<void> };

function command(name: string, run: (world: World) => Promise<void> | void): Command {
  return { toString: () => name, run: async (world) => run(world) };
}

function pick<T>(from: readonly T[], at: number): T | undefined {
  return from[at % Math.max(1, from.length)];
}

const index = fc.nat(20);

const offers = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom("default", "fast"), fc.constantFrom(0, 0, 0, 60_000))
  .map(([count, queue, dueInMs]) =>
    command(`offer ${count} to ${queue} in ${dueInMs}`, (world) => {
      for (let made = 0; made < count; made++) {
        const id = freshRunId();
        world.queues.set(id, queue);
        world.phases.set(id, { kind: "waiting" });
        world.pool.owners.wait(id);
        world.offer(id, dueInMs);
      }
    }),
  );
const offerAgain = index.map((at) =>
  command(`offer ${at} again`, (world) => {
    const id = pick(world.runs("waiting", "claimed", "started"), at);
    if (id) world.offer(id, 0);
  }),
);
const cancel = index.map((at) =>
  command(`cancel ${at}`, (world) => {
    const id = pick(world.runs("waiting", "claimed"), at);
    const phase = id && world.phases.get(id);
    if (!id || !phase) return;
    world.end(id);
    if (phase.kind === "claimed") world.call(world.pool.stub.release(id, phase.generation));
    else world.call(world.pool.stub.withdraw(id));
  }),
);
const finish = index.map((at) =>
  command(`finish ${at}`, (world) => {
    const id = pick(world.runs("started"), at);
    const phase = id && world.phases.get(id);
    if (!id || phase?.kind !== "started") return;
    world.end(id);
    world.call(world.pool.stub.release(id, phase.generation));
  }),
);
/** Processes of runs that have ended end a moment later. */
const reap = command("reap", (world) => {
  for (const [name, processes] of world.processes) {
    for (const process of processes) {
      const phase = world.phases.get(process.id);
      const isItsOwn = phase?.kind === "started" && phase.generation === process.generation;
      if (!isItsOwn) world.processEnds(name, process);
    }
  }
});
const connect = fc
  .constantFrom(...WORKERS)
  .map(({ name, limit, queues }) => command(`connect ${name}`, (world) => world.connect(name, limit, queues)));
const disconnect = fc
  .constantFrom(...WORKERS)
  .map(({ name }) => command(`disconnect ${name}`, (world) => world.disconnect(name)));
const deafen = fc
  .constantFrom(...WORKERS)
  .map(({ name }) => command(`nothing arrives at ${name}`, (world) => void world.deaf.add(name)));
const drain = fc.constantFrom(...WORKERS).map(({ name }) =>
  command(`drain ${name}`, async (world) => {
    // Nothing is to be on its way, so that every push after this is one too many.
    await world.quiet();
    world.clients.get(name)?.send({ type: "drain" });
    if (!world.clients.has(name)) return;
    await until(`${name} drains`, async () =>
      (await world.pool.status()).workers.some((worker) => worker.name === name && worker.draining),
    );
    await settle(world);
    world.draining.add(name);
  }),
);
const fault = fc.boolean().map((afterwards) =>
  command(`fail ${afterwards ? "after" : "before"} the next claim`, (world) => {
    world.pool.owners.faults.push({ error: new Error("network connection lost"), afterwards });
  }),
);
const leaseEnds = index.map((at) =>
  command(`lease of ${at} ends`, async (world) => {
    const id = pick(world.runs("claimed"), at);
    if (id) await world.leaseEnds(id);
  }),
);
const advance = command("a minute passes", async (world) => {
  moveClock(60_000);
  await runDurableObjectAlarm(world.pool.stub);
});
const alarm = command("alarm", async (world) => {
  await runDurableObjectAlarm(world.pool.stub);
});
const evict = command("evict", async (world) => {
  await world.quiet();
  await world.pool.evict();
});
const crash = command("crash", async (world) => {
  await world.quiet();
  for (const name of world.clients.keys()) world.disconnect(name);
  await world.pool.crash();
});

/** Everything that was pushed has arrived: what the owner gave away is started, or the pool does not hold it. */
async function settle(world: World): Promise<void> {
  await world.quiet();
  await until("pushes have arrived", async () => {
    for (const id of world.runs("claimed")) {
      const phase = world.phases.get(id);
      if (phase?.kind !== "claimed" || world.deaf.has(phase.worker)) continue;
      if (await world.pool.stub.workerOnline(phase.worker, id)) return false;
    }
    return true;
  });
}

/** Brings all that is left to an end: nothing may be lost, no slot may stay occupied. */
async function bringToAnEnd(world: World): Promise<string | null> {
  world.pool.owners.faults = [];
  await settle(world);
  for (const { name } of WORKERS) world.disconnect(name);
  await world.connect("closer", 10_000, []);
  await world.pool.configure({ heartbeatIntervalMs: 1_000 * DAY_MS });
  moveClock(DAY_MS);
  const end = Date.now() + 5_000;
  while (world.runs("waiting", "claimed", "started").length > 0) {
    if (Date.now() > end)
      return `lost: ${JSON.stringify([...world.phases])}; the pool: ${JSON.stringify(await world.pool.status())}`;
    await settle(world);
    await runDurableObjectAlarm(world.pool.stub);
    for (const id of world.runs("claimed")) await world.leaseEnds(id);
    for (const id of world.runs("started")) {
      const phase = world.phases.get(id);
      world.end(id);
      if (phase?.kind === "started") await world.pool.stub.release(id, phase.generation);
    }
  }
  await settle(world);
  await reap.run(world);
  // A run that was cancelled while its claim failed waits for one more try, which its owner refuses.
  moveClock(DAY_MS);
  await runDurableObjectAlarm(world.pool.stub);
  const isEmpty = (status: Awaited<ReturnType<Pool["status"]>>) =>
    status.ready === 0 && status.held === 0 && status.workers.every((worker) => worker.active === 0);
  try {
    await world.pool.shows("all slots are free", isEmpty);
  } catch {
    return `slots stay occupied: ${JSON.stringify(await world.pool.status())}`;
  }
  return null;
}

it("a pool loses no run, pushes none twice, stays within every limit, and has all slots free in the end", {
  timeout: 300_000,
}, async ({ expect }) => {
  const commands = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: offers },
      { weight: 2, arbitrary: offerAgain },
      { weight: 2, arbitrary: cancel },
      { weight: 5, arbitrary: finish },
      { weight: 4, arbitrary: fc.constant(reap) },
      { weight: 4, arbitrary: connect },
      { weight: 2, arbitrary: disconnect },
      { weight: 1, arbitrary: deafen },
      { weight: 1, arbitrary: drain },
      { weight: 1, arbitrary: fault },
      { weight: 2, arbitrary: leaseEnds },
      { weight: 2, arbitrary: fc.constant(advance) },
      { weight: 1, arbitrary: fc.constant(alarm) },
      { weight: 2, arbitrary: fc.constant(evict) },
      { weight: 1, arbitrary: fc.constant(crash) },
    ),
    { minLength: 5, maxLength: 40, size: "max" },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), commands, async (poolLimit, steps) => {
      const pool = await Pool.open({ concurrencyLimit: poolLimit, heartbeatIntervalMs: 1_000 * DAY_MS });
      const world = new World(pool, poolLimit);
      await world.connect(WORKERS[1].name, WORKERS[1].limit, WORKERS[1].queues);
      for (const step of steps) await step.run(world);
      await world.quiet();
      expect(world.violations).toEqual([]);
      expect(await bringToAnEnd(world)).toBeNull();
      expect(world.violations.filter((violation) => violation.includes("twice"))).toEqual([]);
    }),
    { numRuns: budget({ fast: 25, full: 500 }), interruptAfterTimeLimit: 250_000, markInterruptAsFailure: false },
  );
});
