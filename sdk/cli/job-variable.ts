/** The option by which commands take variables of a pool's jobs: `--job-variable name=value`, any number of times. */
import { readNamedValue } from "./named-value.ts";
import { type Parameter, parsed, repeated } from "./parameters.ts";

export function jobVariables(): Parameter<[name: string, value: unknown][]> {
  return repeated(
    parsed("A variable of the pool's jobs, as name=value. The value is JSON, or else text.", readNamedValue, {
      placeholder: "name=value",
    }),
  );
}
