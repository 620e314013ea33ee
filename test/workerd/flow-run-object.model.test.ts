/**
 * The object is the machine plus a memory: through any order of proposals, claims, time, evictions and alarms it
 * answers what the pure machine decides on the record that its own answers add up to.
 *
 * Teeth: with claims counted in memory it failed at `claim(a), evict, propose(SCHEDULED), claim(a)`; with a moved
 * deadline that is not remembered as moved, at `claim(a), advance(45 s),
 * alarm after sleep, advance(45 s), alarm after sleep`.
 */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import fc from "fast-check";
import { it } from "vitest";
import { decide } from "#machine/decide";
import { isInHand } from "#machine/occupancy";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import type { FlowRunRecord, Policy } from "#machine/rule";
import { FlowRunPolicy } from "#protocol/flow-runs";
import type { FlowRunId, StateId } from "#protocol/ids";
import { LIMITS, SPANS } from "#protocol/limits";
import { type OrchestrationResult, STATE_TYPES, type StateCreate, type StateType } from "#protocol/states";
import { type EpochMs, toWireTime } from "#protocol/time";
import { clock } from "../../durable-objects/clock.ts";
import { NOTHING_DEMANDED } from "../../durable-objects/reserve.ts";
import { budget } from "./support/budget.ts";
import { DEPLOYMENT_ID, freshRunId, ownerStub, pooledRun, state } from "./support/runs.ts";

const RETRY_DELAY_SECONDS = 600;
const TERM_MS = SPANS.missedHeartbeats * 10_000;

interface Deadline {
  kind: "claim" | "polled" | "alive" | "cancelling";
  dueAt: number;
  /** What an object goes by that has lost its memory. */
  storedDueAt: number;
  postponed: boolean;
  /** The object has listened since it began. */
  begunHere: boolean;
}

/** The least memory that explains the answers. */
interface Model {
  record: FlowRunRecord;
  claims: number;
  lease: { holder: string; expiresAt: number } | null;
  returned: number;
  deadline: Deadline | null;
  startedAt: number;
  history: number;
}

interface Real {
  readonly id: FlowRunId;
}

let minted = 0;

function begin(kind: Deadline["kind"], dueAt: number): Deadline {
  return { kind, dueAt, storedDueAt: dueAt, postponed: false, begunHere: true };
}

function modelDecide(model: Model, to: StateCreate, policy: Policy): OrchestrationResult {
  minted += 1;
  const mayHaveTwoProcesses = model.lease === null && model.returned > 0;
  const decision = decide(
    policy,
    { from: model.record.state, to },
    { now: clock.now(), run: model.record, reservation: NOTHING_DEMANDED, mayHaveTwoProcesses },
    { stateId: `00000000-0000-7000-8000-${String(minted).padStart(12, "0")}` as StateId },
  );
  if (!decision.written) return decision.result;
  const type = decision.written.state.type;
  model.history += 1;
  model.record = decision.written.run;
  const inHand = isInHand(model.record.state, model.record.policy);
  if (!inHand) model.lease = null;
  if (type === "PENDING" && model.deadline?.kind === "polled") {
    // A claim over REST that is reported of goes on.
  } else if (!inHand || (model.lease === null && model.deadline?.kind !== "alive")) {
    model.deadline = type === "CANCELLING" ? begin("cancelling", clock.now() + SPANS.cancellingMs) : null;
  } else if (model.lease !== null && (type === "RUNNING" || type === "CANCELLING")) {
    if (type === "RUNNING") model.lease = { ...model.lease, holder: "process" };
    if (model.deadline?.kind !== "alive") model.deadline = begin("alive", clock.now() + TERM_MS);
  }
  return decision.result;
}

function polledTerm({ record }: Model): number {
  return record.state?.name === "Pending" ? SPANS.polledClaimMs : SPANS.submittedClaimMs;
}

/** A sign of life of a claim over REST is written only if what is stored does not serve. */
function renew(model: Model): void {
  const { deadline } = model;
  if (deadline?.kind !== "polled") return;
  const dueAt = clock.now() + polledTerm(model);
  const isGood = !deadline.postponed && deadline.storedDueAt > clock.now();
  model.deadline = { ...deadline, dueAt, ...(isGood ? {} : { storedDueAt: dueAt, postponed: false }) };
}

type Command = fc.AsyncCommand<Model, Real>;

class Propose implements Command {
  readonly type: StateType;
  readonly force: boolean;
  constructor(type: StateType, force: boolean) {
    this.type = type;
    this.force = force;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const to = state(this.type, this.type === "PENDING" && this.force ? { name: "Submitting" } : {});
    const force = this.force && this.type !== "PENDING";
    const isNewClaim = this.type === "PENDING" && !isInHand(model.record.state, model.record.policy);
    const expected = modelDecide(model, to, force ? FORCED_POLICY : FLOW_RUN_POLICY);
    // A claim over REST is counted like that of a worker.
    if (isNewClaim && expected.status === "ACCEPT") {
      model.claims += 1;
      model.deadline = begin("polled", clock.now() + polledTerm(model));
    } else if (to.type === "PENDING" && expected.status === "ACCEPT") renew(model);
    const answer = await ownerStub(real.id).setState(real.id, { state: to, force });
    same(answer?.result, expected);
    await sameRun(model, real);
  }
  toString(): string {
    return `${this.force ? "force" : "propose"}(${this.type})`;
  }
}

class Claim implements Command {
  readonly worker: string;
  constructor(worker: string) {
    this.worker = worker;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const { record } = model;
    const mine =
      model.lease?.holder === this.worker && record.state?.type === "PENDING" && model.lease.expiresAt > clock.now();
    const waits = record.state?.type === "SCHEDULED" && record.policy.retry_type !== "in_process";
    let expected = mine ? model.claims : null;
    if (!mine && waits && modelDecide(model, state("PENDING"), FLOW_RUN_POLICY).status === "ACCEPT") {
      model.claims += 1;
      expected = model.claims;
      const expiresAt = clock.now() + SPANS.claimLeaseMs;
      model.lease = { holder: this.worker, expiresAt };
      model.deadline = begin("claim", expiresAt);
    }
    const ticket = await ownerStub(real.id).claim(real.id, { name: this.worker });
    if ((ticket?.generation ?? null) !== expected) {
      throw new Error(`claim: expected generation ${expected}, got ${ticket?.generation ?? null}`);
    }
    await sameRun(model, real);
  }
  toString(): string {
    return `claim(${this.worker})`;
  }
}

class Advance implements Command {
  readonly spanMs: number;
  constructor(spanMs: number) {
    this.spanMs = spanMs;
  }
  check(): boolean {
    return true;
  }
  async run(): Promise<void> {
    clock.move(this.spanMs);
  }
  toString(): string {
    return `advance(${this.spanMs / 1000} s)`;
  }
}

class Evict implements Command {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const owner = ownerStub(real.id);
    // Evicting an object that is not running throws.
    await owner.read(real.id);
    await evictDurableObject(owner);
    await owner.read(real.id);
    model.startedAt = clock.now();
    if (model.deadline) Object.assign(model.deadline, { begunHere: false, dueAt: model.deadline.storedDueAt });
  }
  toString(): string {
    return "evict";
  }
}

class Alarm implements Command {
  /** The object slept until its alarm, as an idle object does: it starts anew right before. */
  readonly wakes: boolean;
  constructor(wakes: boolean) {
    this.wakes = wakes;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    if (this.wakes) await new Evict().run(model, real);
    const now = clock.now();
    const { deadline } = model;
    if (deadline && deadline.dueAt <= now) {
      const termMs = deadline.kind === "polled" ? polledTerm(model) : TERM_MS;
      if (!deadline.postponed && !deadline.begunHere && now - model.startedAt < termMs) {
        model.deadline = { ...deadline, dueAt: now + termMs, storedDueAt: now + termMs, postponed: true };
      } else if (deadline.kind === "claim" || deadline.kind === "polled") {
        this.#giveBack(model);
      } else if (deadline.kind === "cancelling") {
        modelDecide(model, state("CANCELLED"), FLOW_RUN_POLICY);
        model.deadline = null;
      } else {
        const outcome = model.record.state?.type === "CANCELLING" ? "CANCELLED" : "CRASHED";
        modelDecide(model, state(outcome), CLAIM_POLICY);
        model.deadline = null;
      }
    }
    await runDurableObjectAlarm(ownerStub(real.id));
    await sameRun(model, real);
  }
  #giveBack(model: Model): void {
    if (model.record.state?.type !== "PENDING") return;
    model.returned += 1;
    const scheduled = toWireTime((clock.now() + 1_000 * 2 ** (model.returned - 1)) as EpochMs);
    const exhausted = model.returned >= LIMITS.claimAttempts;
    const to = exhausted ? state("CRASHED") : state("SCHEDULED", { details: { scheduled_time: scheduled } });
    if (modelDecide(model, to, CLAIM_POLICY).status !== "ABORT") model.lease = null;
  }
  toString(): string {
    return this.wakes ? "alarm after sleep" : "alarm";
  }
}

function same(answer: OrchestrationResult | undefined, expected: OrchestrationResult): void {
  const view = (result: OrchestrationResult | undefined) =>
    JSON.stringify([result?.status, result?.state?.type ?? null, result?.state?.name ?? null]);
  if (view(answer) !== view(expected)) throw new Error(`expected ${view(expected)}, got ${view(answer)}`);
}

async function sameRun(model: Model, real: Real): Promise<void> {
  const owner = ownerStub(real.id);
  const run = await owner.read(real.id);
  const states = await owner.states(real.id);
  const seen = JSON.stringify([
    run?.state_type,
    run?.state_name,
    run?.run_count,
    run?.empirical_policy,
    states?.length,
  ]);
  const { record } = model;
  const expected = JSON.stringify([
    record.state?.type,
    record.state?.name,
    record.runCount,
    record.policy,
    model.history,
  ]);
  if (seen !== expected) throw new Error(`expected the run ${expected}, found ${seen}`);
}

const proposals = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<StateType>("RUNNING") },
      { weight: 3, arbitrary: fc.constant<StateType>("FAILED") },
      { weight: 2, arbitrary: fc.constant<StateType>("PENDING") },
      { weight: 2, arbitrary: fc.constantFrom(...STATE_TYPES) },
    ),
    fc.boolean().map((force) => force),
  )
  .map(([type, force]) => new Propose(type, force && type !== "RUNNING"));

const commands = fc.commands(
  [
    proposals,
    fc.constantFrom("a", "b").map((worker) => new Claim(worker)),
    // Claims over REST and reports of them, which are rare among all proposals.
    fc.boolean().map((force) => new Propose("PENDING", force)),
    fc.constantFrom(1_000, 45_000, 100_000, 700_000).map((spanMs) => new Advance(spanMs)),
    fc.constant(new Evict()),
    fc.boolean().map((wakes) => new Alarm(wakes)),
  ],
  { maxCommands: 40, size: "max" },
);

it("is the pure machine plus a memory", { timeout: 400_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const id = freshRunId();
      const input = pooledRun(id, `model-${id}`);
      const policy = FlowRunPolicy.parse({ retries: 2, retry_delay: RETRY_DELAY_SECONDS });
      await ownerStub(id).create({ ...input, request: { ...input.request, empirical_policy: policy } });
      const model: Model = {
        record: {
          flowRunId: id,
          state: null,
          runCount: 0,
          totalRunTimeMs: 0,
          startTime: null,
          endTime: null,
          expectedStartTime: null,
          nextScheduledStartTime: null,
          policy,
          deploymentId: DEPLOYMENT_ID,
          parentTaskRunId: null,
          infrastructurePid: null,
          pooled: true,
        },
        claims: 0,
        lease: null,
        returned: 0,
        deadline: null,
        startedAt: clock.now(),
        history: 0,
      };
      modelDecide(model, state("SCHEDULED"), FORCED_POLICY);
      await fc.asyncModelRun(() => ({ model, real: { id } }), sequence);
    }),
    { numRuns: budget({ fast: 40, full: 1_000 }) },
  );
});
