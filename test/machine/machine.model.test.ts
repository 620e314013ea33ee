/**
 * What holds of the machine through any sequence of proposals, under any policy, with a clock that may step back.
 *
 * Teeth: bugs that were planted, and what fast-check shrank each to (a retry left where FAILED stands before another):
 *
 * - I5, the terminal rule lets RUNNING pass: `FAILED, RUNNING`
 * - timestamps, always now: `SCHEDULED, SCHEDULED` within one instant
 * - answers, `keep` says null: `FAILED, FAILED`; `keep` of a run without a state is a REJECT: `SCHEDULED "Late"`
 * - count of runs, PENDING counts too: `PENDING`; the mark of a resumption stays: `RUNNING, PAUSED, RUNNING, RUNNING`
 * - states of the protocol, `data` undefined or a scheduled time that is no wire time: `SCHEDULED`
 * - times, the end is not cleared: `FAILED, SCHEDULED`
 * - slots given back, only out of RUNNING: `PENDING, SCHEDULED`; too early, by state type alone: `RUNNING, FAILED`
 * - offers, the mark of a retry in process stays: `RUNNING, FAILED, RUNNING, SCHEDULED`
 * - tasks, one retry too many: `RUNNING, FAILED`
 *
 * Found without planting: `RUNNING, FAILED, PAUSED, PENDING` with every slot taken left a run that nobody was offered.
 */
import fc from "fast-check";
import { describe, it, vi } from "vitest";
import type { z } from "zod";
import { decide } from "#machine/decide";
import { decideTask } from "#machine/decide-task";
import { CLAIM_POLICY } from "#machine/policies/claim";
import { FINAL_FAILURE_POLICY, FLOW_RUN_POLICY } from "#machine/policies/flow-run";
import { FORCED_POLICY } from "#machine/policies/forced";
import { TASK_RUN_POLICY } from "#machine/policies/task-run";
import type { Decision, FlowRunRecord, TaskDecision } from "#machine/rule";
import { FlowRunPolicy } from "#protocol/flow-runs";
import { isTerminal, OrchestrationResult, STATE_TYPES, State, StateCreate } from "#protocol/states";
import { type EpochMs, fromWireTime } from "#protocol/time";
import { aRun, aStateId, aTaskRun, DEPLOYMENT_ID, inSeconds, NOW, TASK_RUN_ID } from "../support/builders.ts";

const budget = process.env["SLUICE_TEST_BUDGET"] === "full" ? 20_000 : 1_000;
const check = { numRuns: budget };

/** The soak budget takes longer than a test usually may. */
vi.setConfig({ testTimeout: 180_000 });

const POLICIES = {
  "flow-run": FLOW_RUN_POLICY,
  "final-failure": FINAL_FAILURE_POLICY,
  forced: FORCED_POLICY,
  claim: CLAIM_POLICY,
};
type PolicyName = keyof typeof POLICIES;

/** What is proposed and under which policy; a name, so that a counterexample can be read. */
interface Step {
  readonly to: z.input<typeof StateCreate>;
  readonly policy: PolicyName;
  readonly full: boolean;
  readonly advanceMs: number;
  readonly random: number;
}

/** What happened at one step: the record before, the decision, the step. */
interface Seen {
  readonly before: FlowRunRecord;
  readonly decision: Decision;
  readonly step: Step;
}

const uuid = (n: number) => `0193a000-0000-7000-8000-00000000000${n}`;
const sometimes = <T>(...values: readonly T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...values) });

// Mostly plain: a history in which every proposal is special gets nowhere.
const proposal = fc.record(
  {
    type: fc.oneof(
      fc.constantFrom(...STATE_TYPES),
      fc.constantFrom("RUNNING" as const, "FAILED" as const, "PAUSED" as const, "PENDING" as const),
    ),
    name: sometimes("Late", "Submitting", "Resuming", ""),
    data: sometimes<unknown>({ storage_key: "k" }, { type: "unpersisted" }, 7),
    state_details: fc.record(
      {
        scheduled_time: sometimes(inSeconds(-5), inSeconds(40)),
        transition_id: sometimes(uuid(1), uuid(2), uuid(3)),
        pause_key: sometimes("one"),
        pause_timeout: sometimes(inSeconds(20)),
        pause_reschedule: fc.boolean(),
        retriable: sometimes(true, false),
        deployment_concurrency_lease_id: sometimes(uuid(9)),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["type"] },
);

function steps(...policies: readonly PolicyName[]): fc.Arbitrary<Step[]> {
  const step = fc.record({
    to: proposal,
    policy: fc.constantFrom(...policies),
    full: fc.boolean(),
    advanceMs: fc.constantFrom(0, 0, 0.0004, 1, 30_000, 90_000, -60_000),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  return fc.array(step, { maxLength: 30, size: "max" });
}

const flowRun = fc
  .record({
    deploymentId: fc.constantFrom(DEPLOYMENT_ID, null),
    parentTaskRunId: fc.constantFrom(null, TASK_RUN_ID),
    infrastructurePid: fc.constantFrom(null, "host:4711"),
    retries: fc.constantFrom(0, 1, 3),
    retry_delay: fc.constantFrom(0, 0, 30),
  })
  .map(({ retries, retry_delay, ...wishes }) =>
    aRun({ ...wishes, pooled: wishes.deploymentId !== null, policy: FlowRunPolicy.parse({ retries, retry_delay }) }),
  );

function history(first: FlowRunRecord, sequence: readonly Step[]): Seen[] {
  let run = first;
  let now = NOW;
  return sequence.map((step) => {
    now = (now + step.advanceMs) as EpochMs;
    const before = run;
    const reservation = step.full
      ? ({ kind: "full", limit: "l", collision: "wait", retryAt: (now + 30_000) as EpochMs } as const)
      : ({ kind: "granted", leaseId: null } as const);
    const transition = { from: run.state, to: StateCreate.parse(step.to) };
    const decision = decide(
      POLICIES[step.policy],
      transition,
      { now, run, reservation, mayHaveTwoProcesses: false },
      { stateId: aStateId() },
    );
    run = decision.written?.run ?? run;
    return { before, decision, step };
  });
}

/** Checks one law over every step of every history. */
function always(law: (seen: Seen) => boolean, ...policies: readonly PolicyName[]): void {
  fc.assert(
    fc.property(flowRun, steps(...policies), (run, sequence) => history(run, sequence).every(law)),
    check,
  );
}

const ALL = ["flow-run", "flow-run", "flow-run", "final-failure", "forced", "claim"] as const;

function answersHold({ result, written }: Decision | TaskDecision, from: State | null): boolean {
  OrchestrationResult.parse(result);
  if (result.status === "REJECT" && result.state === null) return false;
  if (result.status === "ACCEPT" && written === null) return false;
  if (result.status === "WAIT" || result.status === "ABORT") return written === null && result.state === from;
  return written === null
    ? result.state === from
    : result.state === written.state && written.run.state === written.state;
}

/** True when the state survives the wire unchanged and complete. */
function isStored(state: State): boolean {
  const wire = JSON.stringify(state);
  const keys = Object.keys(JSON.parse(wire)).toSorted();
  return JSON.stringify(State.parse(state)) === wire && keys.join() === Object.keys(State.shape).toSorted().join();
}

describe("through any sequence of proposals", () => {
  it("a run of a pool leaves a terminal state only for SCHEDULED or another end (I5), unless somebody insists", () => {
    always(
      ({ before, decision: { written } }) =>
        !written ||
        !before.pooled ||
        !isTerminal(before.state?.type) ||
        written.state.type === "SCHEDULED" ||
        isTerminal(written.state.type),
      "flow-run",
      "claim",
    );
  });

  it("timestamps strictly increase, as numbers and as text", () => {
    always(
      ({ before, decision: { written } }) => {
        if (!written || !before.state) return true;
        const [old, young] = [before.state.timestamp, written.state.timestamp];
        return old < young && fromWireTime(old) < fromWireTime(young);
      },
      ...ALL,
    );
  });

  it("a REJECT has a state, and nothing is written on KEEP, WAIT and ABORT", () => {
    always(({ before, decision }) => answersHold(decision, before.state), ...ALL);
  });

  it("the count of runs grows by one at each start that does not resume a pause, and never otherwise", () => {
    fc.assert(
      fc.property(flowRun, steps(...ALL), (run, sequence) => {
        // What the record says of a resumption is not asked: the law remembers by itself.
        let resumes = false;
        return history(run, sequence).every(({ before, decision: { written }, step }) => {
          if (!written) return true;
          const { type } = written.state;
          const goesOn = before.state?.type === "PAUSED" && (type === "RUNNING" || type === "SCHEDULED");
          if (goesOn && (step.policy === "flow-run" || step.policy === "final-failure")) resumes = true;
          // A terminal state forgets the resumption, at the latest when it is left.
          if (isTerminal(before.state?.type)) resumes = false;
          const grown = written.run.runCount - before.runCount;
          const expected = type === "RUNNING" && !resumes ? 1 : 0;
          if (type === "RUNNING" || isTerminal(type) || written.state.name === "AwaitingRetry") resumes = false;
          return grown === expected;
        });
      }),
      check,
    );
  });

  it("every written state is a state of the protocol", () => {
    always(({ decision: { written } }) => !written || isStored(written.state), ...ALL);
  });

  it("times are never negative, and the end is there exactly in terminal states", () => {
    always(
      ({ decision: { written } }) => {
        if (!written) return true;
        const { run, state } = written;
        const ended = run.endTime !== null;
        return run.totalRunTimeMs >= 0 && ended === isTerminal(state.type) && (!ended || run.startTime !== null);
      },
      ...ALL,
    );
  });

  it("a run that ended, or that waits for a worker, has given its slots back (I8)", () => {
    fc.assert(
      fc.property(flowRun, steps(...ALL), (run, sequence) => {
        let holds = false;
        return history(run, sequence).every(({ decision: { written } }) => {
          if (!written) return true;
          const { state, effects } = written;
          if (effects.some(({ kind }) => kind === "release")) holds = false;
          if (state.type === "PENDING" || state.type === "RUNNING" || state.type === "CANCELLING") holds = true;
          const offered = effects.some(({ kind }) => kind === "offer");
          return !(holds && (isTerminal(state.type) || offered));
        });
      }),
      check,
    );
  });

  it("a slot is not given back while a process waits in the run, for its retry or to be resumed (I8)", () => {
    always(
      ({ decision: { written } }) => {
        if (!written?.effects.some(({ kind }) => kind === "release")) return true;
        const { state, effects, run } = written;
        const gone = state.type === "PAUSED" ? state.state_details.pause_reschedule : isTerminal(state.type);
        return gone || (state.type === "SCHEDULED" && (!run.pooled || effects.some(({ kind }) => kind === "offer")));
      },
      ...ALL,
    );
  });

  it("a pooled run that is scheduled is offered, or its own process has just failed and waits", () => {
    always(
      ({ before, decision: { written } }) => {
        if (!written?.run.pooled || written.state.type !== "SCHEDULED") return true;
        const retried = before.state?.type === "RUNNING" && written.state.name === "AwaitingRetry";
        const waits = before.state?.type === "SCHEDULED" && written.run.policy.retry_type === "in_process";
        const isKnown =
          written.state.name === "Late" &&
          before.state?.type === "SCHEDULED" &&
          before.state.state_details.scheduled_time === written.state.state_details.scheduled_time;
        return written.effects.some(({ kind }) => kind === "offer") !== (retried || waits || isKnown);
      },
      ...ALL,
    );
  });
});

describe("through any sequence of proposals about a task", () => {
  it("the answers hold, states are of the protocol, timestamps increase, and attempts end", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 2), fc.constantFrom(0, 5), steps("flow-run"), (retries, delay, sequence) => {
        let run = aTaskRun({ policy: { retries, retry_delay: [delay, 1], retry_jitter_factor: 0.5 } });
        let now = NOW;
        return sequence.every(({ to, advanceMs, random }) => {
          now = (now + advanceMs) as EpochMs;
          const before = run;
          const facts = { now, run, random };
          const transition = { from: run.state, to: StateCreate.parse(to) };
          const decision = decideTask(TASK_RUN_POLICY, transition, facts, { stateId: aStateId() });
          run = decision.written?.run ?? run;
          if (!answersHold(decision, before.state)) return false;
          if (!decision.written) return true;
          const { state } = decision.written;
          const retried = decision.result.status === "REJECT";
          return (
            isStored(state) &&
            (before.state === null || before.state.timestamp < state.timestamp) &&
            (!retried || before.runCount <= retries)
          );
        });
      }),
      check,
    );
  });
});
