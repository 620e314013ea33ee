/** The core of a decision: asks the rules of a policy one after another what is to become of a proposal. */

import type { OrchestrationResult, State, StateCreate, StateType } from "#protocol/states";
import type { Policy, Rule, RunFacts, RunRecord, StateSet, Transition } from "./rule.ts";

/** The rules' common answer: a state to be written with the patched record, or nothing but an answer. */
export type Consultation<Run extends RunRecord> =
  | {
      readonly kind: "write";
      readonly to: StateCreate;
      readonly run: Run;
      /** Why the state is not the proposed one (REJECT); null when it is (ACCEPT). */
      readonly replacedBecause: string | null;
    }
  | { readonly kind: "leave"; readonly result: OrchestrationResult };

/**
 * Asks each rule in order. Patches accumulate on the record and are seen by later rules; `keep`, `wait` and `abort`
 * end the matter, and nothing is written.
 */
export function consult<Known extends RunFacts, Patch extends Partial<Known["run"]>>(
  policy: Policy<Known, Patch>,
  { from, to: intended }: Transition,
  facts: Known,
): Consultation<Known["run"]> {
  let to = intended;
  let run: Known["run"] = facts.run;
  let replacedBecause: string | null = null;
  for (const rule of policy.rules) {
    if (!speaks(rule, from, intended.type, to.type)) continue;
    const opinion = rule.decide({ from, to }, { ...facts, run });
    switch (opinion.kind) {
      case "pass":
        break;
      case "amend":
        to = opinion.to;
        break;
      case "replace":
        to = opinion.to;
        replacedBecause ??= opinion.because;
        break;
      case "keep":
      case "wait":
      case "abort":
        return { kind: "leave", result: answerOf(opinion, from) };
      default:
        opinion satisfies never;
    }
    if (opinion.patch) run = { ...run, ...opinion.patch };
  }
  return { kind: "write", to: withTransitionId(to, intended), run, replacedBecause };
}

/** The verdict about a state that was written. */
export function writtenResult(state: State, replacedBecause: string | null): OrchestrationResult {
  return replacedBecause === null
    ? { state, status: "ACCEPT", details: { type: "accept_details" } }
    : { state, status: "REJECT", details: { type: "reject_details", reason: replacedBecause } };
}

type LeavingOpinion = Extract<ReturnType<Rule["decide"]>, { kind: "keep" | "wait" | "abort" }>;

function answerOf(opinion: LeavingOpinion, current: State | null): OrchestrationResult {
  switch (opinion.kind) {
    case "keep":
      // Clients look into the state of a REJECT; a run that has none cannot be answered so.
      if (current === null) return aborted(opinion.because, null);
      return { state: current, status: "REJECT", details: { type: "reject_details", reason: opinion.because } };
    case "wait":
      return {
        state: current,
        status: "WAIT",
        details: {
          type: "wait_details",
          delay_seconds: Math.max(1, Math.round(opinion.delaySeconds)),
          reason: opinion.because,
        },
      };
    case "abort":
      return aborted(opinion.because, current);
  }
}

function aborted(reason: string, current: State | null): OrchestrationResult {
  return { state: current, status: "ABORT", details: { type: "abort_details", reason } };
}

function speaks(
  rule: { readonly from: StateSet; readonly to: StateSet },
  from: State | null,
  intended: StateType,
  current: StateType,
): boolean {
  return holds(rule.from, from?.type ?? null) && holds(rule.to, intended) && holds(rule.to, current);
}

function holds(set: StateSet, type: StateType | null): boolean {
  return set === "any" || set.includes(type);
}

/** A replacement carries the id of the transition it answers, so that a repeat after a lost answer finds it. */
function withTransitionId(to: StateCreate, intended: StateCreate): StateCreate {
  const id = intended.state_details.transition_id;
  if (id === null || to.state_details.transition_id !== null) return to;
  return { ...to, state_details: { ...to.state_details, transition_id: id } };
}
