/** The option by which commands take parameters of a flow: `--param name=value`, any number of times. */
import { readNamedValue } from "./named-value.ts";
import { type Parameter, parsed, repeated } from "./parameters.ts";

export function flowParameters(): Parameter<[name: string, value: unknown][]> {
  return repeated(
    parsed("A parameter, as name=value. The value is JSON, or else text.", readNamedValue, {
      placeholder: "name=value",
      short: "p",
    }),
  );
}
