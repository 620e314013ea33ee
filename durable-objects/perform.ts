/**
 * Performs the effects of written states, at least once each. An effect that fails is tried again with backoff while
 * the object lives; after a restart what a run's current state calls for is performed anew (`standingEffects`), and
 * the event of each state since the watermark is told anew, so every effect must be harmless when repeated.
 */
import { isInHand, leaseOf } from "#machine/occupancy";
import type { Effect } from "#machine/rule";
import type { FlowRunId, TaskRunId } from "#protocol/ids";
import type { State } from "#protocol/states";
import { fromWireTime } from "#protocol/time";
import type { EventEmitter } from "./event-emitter.ts";
import { ownerOf } from "./partition.ts";
import { BatchSender } from "./queue-batches.ts";
import { tellAwaiting } from "./schedule-gate.ts";
import type { RunRow, RunSpec } from "./storage/run-rows.ts";
import type { RunStore } from "./storage/run-store.ts";

/** What effects act upon, besides other objects. */
export interface PerformerParts {
  readonly env: Env;
  readonly store: RunStore;
  readonly emitter: EventEmitter;
  /** Tells the run's process, if it is connected, to stop. */
  tellProcess(id: FlowRunId, action: "cancel" | "suspend", state: State): void;
  /** The run neither has nor wants slots of its deployment's limits; `leaseId` is what it had. */
  giveSlotsBack(id: FlowRunId, leaseId: string | null): Promise<void>;
  /** Asks the child runs of a run that have processes of their own, and have not ended, to cancel themselves. */
  askChildren(id: FlowRunId): Promise<void>;
  /** Cancels the task runs of a run that have not ended, and the runs that they stand for. */
  cancelChildren(id: FlowRunId): Promise<void>;
}

const RETRY_MS = [100, 500, 2_000, 10_000] as const;

/** One effect on its way, with what was true when it was stored. */
interface Pending {
  readonly effect: Effect;
  /** Claims of the run so far: a late release must not free the slot of a newer claim. */
  readonly claims: number;
}

export class Performer {
  readonly #parts: PerformerParts;
  /** Numbers of the changes whose effects are not performed yet, with how many of them are open. */
  readonly #open = new Map<number, number>();
  /** What each run still has to do, in order: a withdrawal that overtook an offer would lose the run. */
  readonly #tails = new Map<FlowRunId, Promise<void>>();
  readonly #dispatch: BatchSender;

  constructor(parts: PerformerParts) {
    this.#parts = parts;
    this.#dispatch = new BatchSender(parts.env.DISPATCH_QUEUE);
  }

  /** Performs the effects of the change `seq`, after the turn in which it is committed and in their order. */
  add(id: FlowRunId, seq: number, effects: readonly Effect[], claims: number): void {
    for (const effect of effects) {
      const work = () => this.#finish(id, { effect, claims });
      // Nothing waits for an event: the emitter keeps their order, and collects them.
      if (effect.kind === "event") void this.#counted(seq, Promise.resolve().then(work));
      else this.#queue(id, seq, work);
    }
  }

  /** Does what else follows from the change `seq`, in order with the run's effects and until it succeeds. */
  addWork(id: FlowRunId, seq: number, what: string, work: () => Promise<void>): void {
    this.#queue(id, seq, () => insist(what, () => work()));
  }

  /** Tells who waits for it that a run has ended. If that is lost with the object, who waits looks by itself. */
  addEnd(id: FlowRunId, seq: number): void {
    this.addWork(id, seq, `Telling of the end of flow run ${id}`, async () => {
      const spec = this.#parts.store.spec(id);
      if (spec) await tellAwaiting(this.#parts.env.SCHEDULE_LINES, this.#dispatch, id, spec);
    });
  }

  #queue(id: FlowRunId, seq: number, work: () => Promise<void>): void {
    const tail = this.#counted(seq, (this.#tails.get(id) ?? Promise.resolve()).then(work));
    this.#tails.set(id, tail);
    void tail.then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    });
  }

  /** The change is not done until this is. */
  async #counted(seq: number, work: Promise<void>): Promise<void> {
    this.#open.set(seq, (this.#open.get(seq) ?? 0) + 1);
    await work;
    const left = (this.#open.get(seq) ?? 1) - 1;
    if (left > 0) this.#open.set(seq, left);
    else this.#open.delete(seq);
  }

  /** The greatest number at or below which everything is performed, if the object's clock stands at `seq`. */
  watermark(seq: number): number {
    let lowest = seq + 1;
    for (const open of this.#open.keys()) lowest = Math.min(lowest, open);
    return lowest - 1;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  #finish(id: FlowRunId, { effect, claims }: Pending): Promise<void> {
    return insist(`Effect "${effect.kind}" of flow run ${id}`, async (failures) => {
      if (effect.kind === "offer" && failures > 0) {
        // The pool does not answer: the queue takes over, which tries for some minutes and keeps what it gives up.
        await this.#dispatch.send({ flow_run_id: id });
      } else {
        await this.perform(id, effect, claims);
      }
    });
  }

  /** Performs one effect now; throws what its target throws. */
  async perform(id: FlowRunId, effect: Effect, claims: number): Promise<void> {
    const { env, store } = this.#parts;
    const spec = store.spec(id);
    if (!spec) return;
    switch (effect.kind) {
      case "offer":
        if (spec.placement)
          await env.WORK_POOLS.getByName(spec.placement.poolName).offer(offerOf(id, spec, effect.dueAt));
        return;
      case "withdraw":
        if (spec.placement) await env.WORK_POOLS.getByName(spec.placement.poolName).withdraw(id);
        return;
      case "release":
        await Promise.all([
          spec.placement && env.WORK_POOLS.getByName(spec.placement.poolName).release(id, claims),
          this.#parts.giveSlotsBack(id, effect.leaseId),
        ]);
        return;
      case "leave-line":
        await this.#parts.giveSlotsBack(id, null);
        return;
      case "tell-process": {
        const state = store.run(id)?.record.state;
        if (state) this.#parts.tellProcess(id, effect.action, state);
        return;
      }
      case "event":
        await this.#parts.emitter.emit({ id, from: effect.from, to: effect.to, runCount: effect.runCount });
        return;
      case "ask-children":
        await this.#parts.askChildren(id);
        return;
      case "cancel-children":
        await this.#parts.cancelChildren(id);
        return;
      case "mirror-to-parent":
        await this.#mirror(id, effect.taskRunId);
        return;
      default:
        effect satisfies never;
    }
  }

  /** The task run that stands for this run in its parent shows this run's state. */
  async #mirror(id: FlowRunId, taskRunId: TaskRunId): Promise<void> {
    const { env, store } = this.#parts;
    const state = store.run(id)?.record.state;
    const row = await env.DB.prepare("SELECT flow_run_id FROM task_runs WHERE id = ?")
      .bind(taskRunId)
      .first<{ flow_run_id: string }>();
    const parent = row?.flow_run_id as FlowRunId | undefined;
    if (parent && state) await ownerOf(env.FLOW_RUNS, parent)?.mirrorState(parent, taskRunId, id, state);
  }
}

/** Tries until it is done. */
async function insist(what: string, act: (failures: number) => Promise<void>): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      await act(failures);
      return;
    } catch (error) {
      console.warn(`${what} failed ${failures + 1} times; it is tried again.`, error);
      await scheduler.wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0);
    }
  }
}

/** What a pool is told about a run that waits. */
function offerOf(id: FlowRunId, spec: RunSpec, dueAt: number) {
  const placement = spec.placement;
  if (!placement) throw new Error(`Flow run ${id} has no work pool to be offered to.`);
  return {
    ticket: {
      flow_run_id: id,
      name: spec.name,
      deployment_id: spec.deploymentId,
      entrypoint: placement.entrypoint,
      path: placement.path,
      pull_steps: placement.pullSteps,
      job_variables: placement.jobVariables,
      work_queue_name: placement.queue.name,
    },
    due_at: dueAt,
    queue: placement.queue,
  };
}

/** What a run's state calls for, whatever was performed already: the effects of a run found after a restart. */
export function standingEffects(row: RunRow): Effect[] {
  const { state, policy, pooled, parentTaskRunId } = row.record;
  const effects: Effect[] = [];
  if (state === null) return effects;
  if (state.type === "CANCELLING") effects.push({ kind: "ask-children" });
  if (state.type === "CANCELLED") effects.push({ kind: "cancel-children" });
  if (parentTaskRunId) effects.push({ kind: "mirror-to-parent", taskRunId: parentTaskRunId });
  if (!pooled) return effects;
  if (state.type === "SCHEDULED" && policy.retry_type !== "in_process") {
    effects.push({ kind: "offer", dueAt: fromWireTime(state.state_details.scheduled_time ?? state.timestamp) });
  } else if (state.type !== "PENDING") effects.push({ kind: "withdraw" });
  if (!isInHand(state, policy)) effects.push({ kind: "release", leaseId: leaseOf(state) });
  return effects;
}
