/** The decision about a task run: rules, then bookkeeping. It is made by the process that runs the task. */

import { bookTaskRun } from "./bookkeeping.ts";
import { consult, writtenResult } from "./consult.ts";
import type { Minted, TaskDecision, TaskFacts, TaskPolicy, Transition } from "./rule.ts";

/** Decides what becomes of a proposed state of a task run; the answers mean what those of `decide` mean. */
export function decideTask(policy: TaskPolicy, transition: Transition, facts: TaskFacts, minted: Minted): TaskDecision {
  const answer = consult(policy, transition, facts);
  if (answer.kind === "leave") return { result: answer.result, written: null };
  const { to, run, replacedBecause } = answer;
  const booked = bookTaskRun({ from: transition.from, to, run, now: facts.now, minted });
  return { result: writtenResult(booked.state, replacedBecause), written: booked };
}
