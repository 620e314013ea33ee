/** The option by which commands take parameters of a flow: `--param name=value`, any number of times. */
import { jsonOrText } from "./json-or-text.ts";
import { type Parameter, parsed, repeated } from "./parameters.ts";

export function flowParameters(): Parameter<[name: string, value: unknown][]> {
  return repeated(
    parsed("A parameter, as name=value. The value is JSON, or else text.", readParameter, {
      placeholder: "name=value",
      short: "p",
    }),
  );
}

function readParameter(given: string): [name: string, value: unknown] {
  const equals = given.indexOf("=");
  if (equals <= 0) throw new Error("not of the form name=value");
  return [given.slice(0, equals), jsonOrText(given.slice(equals + 1))];
}
