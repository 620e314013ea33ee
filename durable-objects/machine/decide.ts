/** The decision about a flow run: rules, then bookkeeping, then effects. */

import { bookFlowRun } from "./bookkeeping.ts";
import { consult, writtenResult } from "./consult.ts";
import { effectsOf } from "./effects.ts";
import type { Decision, Facts, Minted, Policy, Transition } from "./rule.ts";

/**
 * Decides what becomes of a proposed state.
 *
 * - ACCEPT carries the proposed state as it is written: with the minted id, a timestamp and full details
 * - REJECT carries the state that is written instead, or the current one when nothing is written
 * - WAIT carries a whole number of seconds; ABORT the current state or null; both write nothing
 *
 * Pure: the same arguments give the same decision. `transition.from` is the record's state. Throws nothing.
 */
export function decide(policy: Policy, transition: Transition, facts: Facts, minted: Minted): Decision {
  const answer = consult(policy, transition, facts);
  if (answer.kind === "leave") return { result: answer.result, written: null };
  const { to, run, replacedBecause } = answer;
  const booked = bookFlowRun({ from: transition.from, to, run, now: facts.now, minted });
  return {
    result: writtenResult(booked.state, replacedBecause),
    written: {
      ...booked,
      effects: effectsOf({ before: facts.run, state: booked.state, after: booked.run }),
    },
  };
}
