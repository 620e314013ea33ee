/** How an attempt ended, by what its function returned or threw. */
import { isTerminal, type State, type StateType } from "../../protocol/states.ts";
import { errorMessage, TimedOutError } from "../errors.ts";
import { isFuture, type TaskFuture } from "../future.ts";
import { masked } from "../secrets.ts";
import { dataOf, failureOf, isEndState, isRunState } from "../states.ts";

/** The state that an attempt wants its run to end in. */
export interface EndProposal {
  readonly type: StateType;
  readonly name?: string;
  readonly message?: string;
}

/** How an attempt ended: with a value, or with what the call throws; and the state that says so. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown; readonly proposal: EndProposal }
  | { readonly ok: false; readonly error: unknown; readonly proposal: EndProposal };

/**
 * What a returned value means: a state that was made for it is the run's end; futures and states of other runs, alone or
 * in a list of nothing else, are waited for and decide it together; anything else is the result.
 */
export async function returned(value: unknown): Promise<Outcome> {
  if (isEndState(value)) {
    const { type } = value;
    const proposal = {
      type,
      ...(value.name === null ? {} : { name: value.name }),
      ...(value.message === null ? {} : { message: masked(value.message) }),
    };
    const data = dataOf(value);
    if (type === "COMPLETED") return { ok: true, value: data, proposal };
    return { ok: false, error: data instanceof Error ? data : failureOf(value), proposal };
  }
  if (isRun(value)) return await together([value], ([one]) => one);
  if (Array.isArray(value) && value.length > 0 && value.every(isRun)) return await together(value, (all) => all);
  return { ok: true, value, proposal: { type: "COMPLETED" } };
}

/** What a thrown error means. */
export function threw(error: unknown): Extract<Outcome, { ok: false }> {
  const message = masked(errorMessage(error));
  const name = error instanceof TimedOutError ? { name: "TimedOut" } : {};
  return { ok: false, error, proposal: { type: "FAILED", ...name, message } };
}

/** A run that is part of what is returned: submitted, or known by its state. */
type Run = TaskFuture<unknown> | (State & { readonly result?: () => unknown });

function isRun(value: unknown): value is Run {
  return isFuture(value) || isRunState(value);
}

/** What became of one of several runs. */
interface Ended {
  readonly type: StateType;
  readonly value: unknown;
  readonly error: unknown;
}

async function ended(run: Run): Promise<Ended> {
  const state = isFuture(run) ? await run.wait() : run;
  const type = state?.type ?? "FAILED";
  try {
    if (isFuture(run)) return { type: "COMPLETED", value: await run.result(), error: null };
    if (run.result) return { type: "COMPLETED", value: run.result(), error: null };
  } catch (error) {
    return { type: type === "COMPLETED" ? "FAILED" : type, value: undefined, error };
  }
  return { type, value: run, error: type === "COMPLETED" ? null : failureOf(run) };
}

/** The aggregate of several runs: Completed if all are, else Cancelled or Failed. */
async function together(runs: readonly Run[], pick: (values: unknown[]) => unknown): Promise<Outcome> {
  const all = await Promise.all(runs.map(ended));
  const total = all.length;
  const count = (wanted: (type: StateType) => boolean): number => all.filter(({ type }) => wanted(type)).length;
  const first = all.find(({ type }) => type !== "COMPLETED");
  if (first === undefined) {
    const proposal = { type: "COMPLETED", message: "All states completed." } as const;
    return { ok: true, value: pick(all.map(({ value }) => value)), proposal };
  }
  const cancelled = count((type) => type === "CANCELLED");
  const failed = count((type) => type === "FAILED" || type === "CRASHED");
  const open = count((type) => !isTerminal(type));
  const proposal: EndProposal =
    cancelled > 0
      ? { type: "CANCELLED", message: `${cancelled}/${total} states cancelled.` }
      : {
          type: "FAILED",
          message: failed > 0 ? `${failed}/${total} states failed.` : `${open}/${total} states are not final.`,
        };
  return { ok: false, error: first.error, proposal };
}
