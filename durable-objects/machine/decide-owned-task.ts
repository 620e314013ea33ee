/** The decision about a task run that its owner makes, for callers that do not execute the task themselves. */

import { bookTaskRun } from "./bookkeeping.ts";
import { consult, writtenResult } from "./consult.ts";
import type { Minted, OwnedTaskDecision, OwnedTaskFacts, OwnedTaskPolicy, Transition } from "./rule.ts";
import { taskEffectsOf } from "./task-effects.ts";

/** Decides what becomes of a proposed state of a task run; the answers mean what those of `decide` mean. */
export function decideOwnedTask(
  policy: OwnedTaskPolicy,
  transition: Transition,
  facts: OwnedTaskFacts,
  minted: Minted,
): OwnedTaskDecision {
  const answer = consult(policy, transition, facts);
  if (answer.kind === "leave") return { result: answer.result, written: null };
  const { to, run, replacedBecause } = answer;
  const booked = bookTaskRun({ from: transition.from, to, run, now: facts.now, minted });
  return {
    result: writtenResult(booked.state, replacedBecause),
    written: { ...booked, effects: taskEffectsOf(transition, booked.state) },
  };
}
