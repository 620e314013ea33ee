/** `--state failed --state crashed`: only runs in these states. */
import { STATE_TYPES, StateType } from "../protocol/states.ts";
import { type Parameter, parsed, repeated } from "./parameters.ts";

export function stateOption(): Parameter<StateType[]> {
  return repeated(parsed("Only runs in this state; may be given several times.", readState, { placeholder: "type" }));
}

function readState(given: string): StateType {
  const type = StateType.safeParse(given.toUpperCase());
  if (type.success) return type.data;
  throw new Error(`not one of ${STATE_TYPES.map((known) => known.toLowerCase()).join(", ")}`);
}
