/**
 * Runs of one deployment with a limit by key and one for all of them, pushed to a worker, under everything that can happen
 * in any order and at the same time: runs begin, end, are cancelled and deleted, limits change, objects lose their memory.
 * The worker is the judge: what it was given and has not ended is in progress.
 *
 * Its teeth, shown with planted bugs: with a keyed limit that is off by one it fails with too many runs in progress; with a
 * release that is not sent for deleted runs, since a slot stays taken that others wait for.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { it } from "vitest";
import { limitObjectName } from "../../durable-objects/lease-id.ts";
import { aDeployment, aPool, call } from "./support/api.ts";
import { budget } from "./support/budget.ts";
import { aRun, aWorker, propose } from "./support/deployed-runs.ts";
import type { WorkerClient } from "./support/pools.ts";
import { until } from "./support/runs.ts";

const KEYS = ["ada", "ben", "cy"] as const;
type Strategy = "queue" | "round-robin";

class World {
  readonly strategy: Strategy;
  readonly path: string;
  readonly deploymentId: string;
  readonly limitId: string;
  readonly worker: WorkerClient;
  readonly violations: string[] = [];
  perKey: number;
  ofAll: number;
  readonly keyOf = new Map<string, string>();
  /** Runs that ended, are being ended, or are gone. */
  readonly over = new Set<string>();
  /** Of runs that had their slots before a limit was lowered, known to the worker or not: what it was before. */
  readonly #earlierPerKey = new Map<string, number>();
  readonly #earlierOfAll = new Map<string, number>();
  readonly #calls: Promise<unknown>[] = [];

  private constructor(parts: {
    readonly strategy: Strategy;
    readonly deploymentId: string;
    readonly limitId: string;
    readonly worker: WorkerClient;
    readonly perKey: number;
    readonly ofAll: number;
  }) {
    this.strategy = parts.strategy;
    this.deploymentId = parts.deploymentId;
    this.limitId = parts.limitId;
    this.worker = parts.worker;
    this.perKey = parts.perKey;
    this.ofAll = parts.ofAll;
    this.path = `/deployments/${parts.deploymentId}/flow_control`;
    this.worker.onFrame = (frame) => {
      if (frame.type === "run") this.judge(frame.ticket.flow_run_id);
    };
  }

  static async open(strategy: Strategy, perKey: number, ofAll: number): Promise<World> {
    const pool = await aPool();
    const deployment = await aDeployment({
      work_pool_name: pool.name,
      concurrency_limit: ofAll,
      enforce_parameter_schema: false,
    });
    const { body } = await call<{ global_concurrency_limit: { id: string } }>("GET", `/deployments/${deployment.id}`);
    const worker = await aWorker(pool.name, 100);
    const limitId = body.global_concurrency_limit.id;
    const world = new World({ strategy, deploymentId: deployment.id, limitId, worker, perKey, ofAll });
    await world.limitKeys(perKey);
    return world;
  }

  call(what: Promise<unknown>): void {
    this.#calls.push(what);
  }

  async quiet(): Promise<void> {
    await Promise.all(this.#calls.splice(0));
  }

  inProgress(): string[] {
    return this.worker.runs.filter((id) => !this.over.has(id));
  }

  /** Looks at what a run that was claimed finds beside itself. Those that had slots when a limit was lowered keep them. */
  judge(claimed: string): void {
    const running = this.inProgress();
    if (!running.includes(claimed)) return;
    const ofKey = running.filter((id) => this.keyOf.get(id) === this.keyOf.get(claimed)).length;
    const keyed = this.strategy === "queue" ? ofKey : running.length;
    const perKey = Math.max(this.perKey, this.#earlierPerKey.get(claimed) ?? 0);
    const ofAll = Math.max(this.ofAll, this.#earlierOfAll.get(claimed) ?? 0);
    if (keyed > perKey) this.violations.push(`${keyed} in progress by key, the limit is ${perKey}`);
    if (running.length > ofAll) this.violations.push(`${running.length} in progress, the limit is ${ofAll}`);
  }

  async begin(key: string): Promise<void> {
    const id = await aRun({ id: this.deploymentId }, { key });
    this.keyOf.set(id, key);
    // It may have been pushed before its key was known here.
    this.judge(id);
  }

  async end(id: string, type: string): Promise<void> {
    await propose(id, "RUNNING");
    this.over.add(id);
    await propose(id, type);
  }

  async cancel(id: string): Promise<void> {
    this.over.add(id);
    await propose(id, "CANCELLED");
  }

  async remove(id: string): Promise<void> {
    this.over.add(id);
    await call("DELETE", `/flow_runs/${id}`);
  }

  async limitKeys(limit: number): Promise<void> {
    this.perKey = Math.max(limit, this.perKey);
    const concurrency = { key: "parameters.key", limit, strategy: this.strategy };
    await call("PUT", this.path, { concurrency });
    const { holders } = (await call<{ holders: { flow_run_id: string }[] }>("GET", `${this.path}/runs`)).body;
    for (const { flow_run_id: id } of holders) raise(this.#earlierPerKey, id, this.perKey);
    this.perKey = limit;
  }

  async limitAll(limit: number): Promise<void> {
    this.ofAll = Math.max(limit, this.ofAll);
    const path = `/v2/concurrency_limits/${this.limitId}`;
    await call("PATCH", path, { limit });
    const { holders } = (await call<{ holders: { holder: { id: string } | null }[] }>("GET", `${path}/holders`)).body;
    for (const { holder } of holders) if (holder) raise(this.#earlierOfAll, holder.id, this.ofAll);
    this.ofAll = limit;
  }

  async evict(): Promise<void> {
    await this.quiet();
    const keyed = env.KEYED_LIMITS.getByName(this.deploymentId);
    await keyed.status();
    await evictDurableObject(keyed);
    const all = env.CONCURRENCY_LIMITS.getByName(limitObjectName(this.limitId));
    await all.activeSlots();
    await evictDurableObject(all);
  }

  /** Nobody waits for a slot that is free: of its key, and of all. */
  async handedOut(): Promise<void> {
    await until("free slots are handed to those who wait", async () => {
      const running = this.inProgress();
      if (running.length >= this.ofAll) return true;
      const waiting = [...this.keyOf].filter(([id]) => !this.over.has(id) && !running.includes(id));
      const taken = (key: string) =>
        this.strategy === "queue" ? running.filter((id) => this.keyOf.get(id) === key).length : running.length;
      return waiting.every(([, key]) => taken(key) >= this.perKey);
    });
  }

  /** Everything ends. Nothing may stay taken. */
  async finish(): Promise<void> {
    for (const id of this.keyOf.keys()) if (!this.over.has(id)) this.call(this.cancel(id));
    await this.quiet();
    await until("all slots are free", async () => {
      const { holders, waiters } = (await call<{ holders: unknown[]; waiters: unknown[] }>("GET", `${this.path}/runs`))
        .body;
      const path = `/v2/concurrency_limits/${this.limitId}`;
      const { active_slots } = (await call<{ active_slots: number }>("GET", path)).body;
      return holders.length === 0 && waiters.length === 0 && active_slots === 0;
    });
    this.worker.close();
  }
}

function raise(ceilings: Map<string, number>, id: string, to: number): void {
  ceilings.set(id, Math.max(to, ceilings.get(id) ?? 0));
}

type Command = { toString(): string; run(world: World): Promise<void> | void };
const command = (name: string, run: Command["run"]): Command => ({ toString: () => name, run });
const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % Math.max(1, from.length)];

const begin = fc.constantFrom(...KEYS).map((key) => command(`begin ${key}`, (world) => world.call(world.begin(key))));
const end = fc.tuple(fc.nat(20), fc.constantFrom("COMPLETED", "FAILED", "CRASHED")).map(([at, type]) =>
  command(`end ${at} ${type}`, (world) => {
    const id = pick(world.inProgress(), at);
    if (id) world.call(world.end(id, type));
  }),
);
const cancel = fc.tuple(fc.nat(20), fc.boolean()).map(([at, deletes]) =>
  command(`${deletes ? "delete" : "cancel"} ${at}`, async (world) => {
    await world.quiet();
    const id = pick(
      [...world.keyOf.keys()].filter((one) => !world.over.has(one)),
      at,
    );
    if (id) world.call(deletes ? world.remove(id) : world.cancel(id));
  }),
);
const change = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3 })).map(([isKeyed, limit]) =>
  command(`limit ${isKeyed ? "of keys" : "of all"} ${limit}`, async (world) => {
    await world.quiet();
    await (isKeyed ? world.limitKeys(limit) : world.limitAll(limit + 1));
  }),
);
const evict = fc.constant(command("evict", (world) => world.evict()));
const look = fc.constant(
  command("look", async (world) => {
    await world.quiet();
    await world.handedOut();
  }),
);

it("limits of a deployment are never exceeded, leave nothing idle, and are free in the end", {
  timeout: 300_000,
}, async ({ expect }) => {
  const commands = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: begin },
      { weight: 6, arbitrary: end },
      { weight: 2, arbitrary: cancel },
      { weight: 1, arbitrary: change },
      { weight: 1, arbitrary: evict },
      { weight: 2, arbitrary: look },
    ),
    { minLength: 5, maxLength: 40, size: "max" },
  );
  const strategy = fc.constantFrom<Strategy>("queue", "round-robin");
  const size = fc.integer({ min: 1, max: 3 });
  await fc.assert(
    fc.asyncProperty(strategy, size, size, commands, async (how, perKey, ofAll, steps) => {
      const world = await World.open(how, perKey, ofAll + 1);
      for (const step of steps) await step.run(world);
      await world.quiet();
      await world.handedOut();
      expect(world.violations).toEqual([]);
      await world.finish();
    }),
    { numRuns: budget({ fast: 4, full: 200 }), interruptAfterTimeLimit: 250_000, markInterruptAsFailure: false },
  );
});
