/** Reads the answer to a proposed state: what was asked for, or why not. */
import type { OrchestrationResult, State, StateType } from "../protocol/states.ts";
import { CliError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";

/** The run's state if it is one of the wanted types. Throws a `CliError` with the reason otherwise. */
export function requireState(
  { status, state, details }: OrchestrationResult,
  wanted: readonly StateType[],
  { refused, fix }: { readonly refused: string; readonly fix: string },
): State {
  if ((status === "ACCEPT" || status === "REJECT") && state !== null && wanted.includes(state.type)) return state;
  const reason = "reason" in details && details.reason ? details.reason : `it is ${state?.name ?? "without a state"}.`;
  throw new CliError(`${refused}: ${reason}`, { fix, code: "refused", exitCode: EXIT.failed });
}
